//! Framing: a varint of the length, then the message. A frame leaves the buffer without a copy, and so do the
//! `bytes` fields of the message that is read from it.

use bytes::{Bytes, BytesMut};
use prost::Message;
use thiserror::Error;

/// Why a stream cannot be read on.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FrameError {
    /// No length stands where one should.
    #[error("expected a length of at most 10 bytes before a message, got something else")]
    Length,
    /// The message is larger than the server takes.
    #[error("expected a message of at most {max} bytes, got one of {got}")]
    TooLarge {
        /// The limit.
        max: usize,
        /// The announced length.
        got: u64,
    },
    /// The message does not decode.
    #[error("expected an ABCI message, got bytes that do not decode: {0}")]
    Decode(String),
}

/// The next whole frame of `buf`, or how many bytes are missing at least.
///
/// # Errors
/// When the length is malformed or over `max`.
pub fn take(buf: &mut BytesMut, max: usize) -> Result<Result<Bytes, usize>, FrameError> {
    let (mut length, mut head) = (0u64, 0);
    loop {
        let Some(&byte) = buf.get(head) else {
            return Ok(Err(1));
        };
        let part = u64::from(byte & 0x7f);
        if head > 9 || (head == 9 && part > 1) {
            return Err(FrameError::Length);
        }
        length |= part << (7 * head);
        head += 1;
        if byte < 0x80 {
            break;
        }
    }
    let body = usize::try_from(length).ok().filter(|n| *n <= max);
    let Some(body) = body else {
        return Err(FrameError::TooLarge { max, got: length });
    };
    let whole = head + body;
    if buf.len() < whole {
        return Ok(Err(whole - buf.len()));
    }
    let mut frame = buf.split_to(whole).freeze();
    Ok(Ok(frame.split_off(head)))
}

/// The message of a frame.
///
/// # Errors
/// When it does not decode.
pub fn decode<M: Message + Default>(frame: Bytes) -> Result<M, FrameError> {
    M::decode(frame).map_err(|e| FrameError::Decode(e.to_string()))
}

/// Append a message with its length.
pub fn put(buf: &mut BytesMut, message: &impl Message) {
    let length = message.encoded_len();
    buf.reserve(length + prost::length_delimiter_len(length));
    // A BytesMut grows; encoding into it does not fail.
    message.encode_length_delimited(buf).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tendermint_proto::v0_38::abci::{Request, RequestCheckTx, RequestEcho, request::Value};

    fn requests() -> impl Strategy<Value = Vec<Request>> {
        let one = prop_oneof![
            ".{0,200}".prop_map(|message| Value::Echo(RequestEcho { message })),
            prop::collection::vec(any::<u8>(), 0..2_000).prop_map(|tx| Value::CheckTx(
                RequestCheckTx {
                    tx: tx.into(),
                    r#type: 1
                }
            )),
        ];
        prop::collection::vec(one.prop_map(|v| Request { value: Some(v) }), 0..20)
    }

    proptest! {
        /// However the stream is cut, the same messages come out, and nothing is left.
        #[test]
        fn any_chunking(sent in requests(), cuts in prop::collection::vec(1usize..700, 1..50)) {
            let mut wire = BytesMut::new();
            for r in &sent { put(&mut wire, r); }
            let (mut buf, mut got, mut cuts) = (BytesMut::new(), Vec::new(), cuts.iter().cycle());
            while !wire.is_empty() {
                let n = (*cuts.next().unwrap()).min(wire.len());
                buf.extend_from_slice(&wire.split_to(n));
                while let Ok(frame) = take(&mut buf, 1 << 20).unwrap() {
                    got.push(decode::<Request>(frame).unwrap());
                }
            }
            prop_assert_eq!(got, sent);
            prop_assert!(buf.is_empty());
        }

        /// Whatever comes, the reader neither panics nor waits for more than its limit.
        #[test]
        fn garbage(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut buf = BytesMut::from(&*bytes);
            while let Ok(step) = take(&mut buf, 1_000) {
                match step {
                    Ok(frame) => { decode::<Request>(frame).ok(); }
                    Err(missing) => { prop_assert!(missing <= 1_010); break; }
                }
            }
        }
    }

    #[test]
    fn limits() {
        let mut buf = BytesMut::from(&[0x81, 0x08][..]); // 1025
        assert_eq!(
            take(&mut buf, 1_024),
            Err(FrameError::TooLarge {
                max: 1_024,
                got: 1_025
            })
        );
        let mut buf = BytesMut::from(&[0xff; 11][..]);
        assert_eq!(take(&mut buf, 1_024), Err(FrameError::Length));
    }

    #[test]
    fn a_frame_is_not_copied() {
        let mut buf = BytesMut::new();
        let tx = Bytes::from(vec![7; 5_000]);
        put(
            &mut buf,
            &Request {
                value: Some(Value::CheckTx(RequestCheckTx { tx, r#type: 0 })),
            },
        );
        let memory = buf.as_ptr_range();
        let Ok(frame) = take(&mut buf, 1 << 20).unwrap() else {
            panic!("whole")
        };
        let Some(Value::CheckTx(r)) = decode::<Request>(frame).unwrap().value else {
            panic!("a check")
        };
        assert!(
            memory.contains(&r.tx.as_ptr()),
            "the transaction is a slice of the read buffer"
        );
    }
}
