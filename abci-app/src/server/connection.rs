//! One connection: read, answer in order, write once per Flush.

use super::{dispatch::dispatch, frame};
use bytes::BytesMut;
use std::io::{self, Read, Write};
use tendermint_abci::Application;
use tendermint_proto::v0_38::abci::{Request, request::Value};

/// Bytes asked of the socket at once.
const READ_BYTES: usize = 64 * 1024;
/// Answers are written before a Flush when this many bytes wait.
const WRITE_BYTES: usize = 256 * 1024;

/// Serve until the peer closes.
///
/// # Errors
/// When the socket fails or the peer does not speak ABCI.
pub fn serve(
    app: &impl Application,
    stream: &mut (impl Read + Write),
    max_message: usize,
) -> io::Result<()> {
    let mut input = BytesMut::with_capacity(READ_BYTES);
    let mut output = BytesMut::with_capacity(READ_BYTES);
    loop {
        let missing = loop {
            match frame::take(&mut input, max_message).map_err(io::Error::other)? {
                Ok(bytes) => {
                    let request: Request = frame::decode(bytes).map_err(io::Error::other)?;
                    let flush = matches!(request.value, Some(Value::Flush(_)));
                    frame::put(&mut output, &dispatch(app, request));
                    if flush || output.len() >= WRITE_BYTES {
                        write(stream, &mut output)?;
                    }
                }
                Err(missing) => break missing,
            }
        };
        // Nothing more to answer: a client that sends no Flush must not wait for ever.
        write(stream, &mut output)?;
        if !read(stream, &mut input, missing)? {
            return if input.is_empty() {
                Ok(())
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    }
}

fn write(stream: &mut impl Write, output: &mut BytesMut) -> io::Result<()> {
    if !output.is_empty() {
        stream.write_all(output)?;
        stream.flush()?;
        output.clear();
    }
    Ok(())
}

/// Read what there is. Memory grows with what came, not with what a peer announced.
fn read(stream: &mut impl Read, input: &mut BytesMut, missing: usize) -> io::Result<bool> {
    let at = input.len();
    input.resize(at + missing.clamp(READ_BYTES, 16 * READ_BYTES), 0);
    let got = loop {
        match stream.read(&mut input[at..]) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            got => break got,
        }
    };
    input.truncate(at + *got.as_ref().unwrap_or(&0));
    Ok(got? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tendermint_proto::v0_38::abci::{
        RequestCheckTx, RequestEcho, RequestFlush, Response, ResponseCheckTx,
        response::Value as Answer,
    };

    #[derive(Clone)]
    struct App;
    impl Application for App {
        fn check_tx(&self, r: RequestCheckTx) -> ResponseCheckTx {
            ResponseCheckTx {
                data: r.tx,
                ..ResponseCheckTx::default()
            }
        }
    }

    /// A socket of which reads come from a list and writes are counted.
    struct Wire(std::collections::VecDeque<Vec<u8>>, Vec<Vec<u8>>);
    impl Read for Wire {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let Some(mut next) = self.0.pop_front() else {
                return Ok(0);
            };
            let n = next.len().min(buf.len());
            buf[..n].copy_from_slice(&next[..n]);
            if n < next.len() {
                self.0.push_front(next.split_off(n));
            }
            Ok(n)
        }
    }
    impl Write for Wire {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.1.push(buf.to_vec());
            Ok(buf.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn request(value: Value) -> BytesMut {
        let mut out = BytesMut::new();
        frame::put(&mut out, &Request { value: Some(value) });
        out
    }

    #[test]
    fn a_pipeline_is_answered_in_order_with_one_write() {
        let mut bytes = Vec::new();
        for i in 0..100u8 {
            bytes.extend_from_slice(&request(Value::CheckTx(RequestCheckTx {
                tx: vec![i].into(),
                r#type: 0,
            })));
        }
        bytes.extend_from_slice(&request(Value::Flush(RequestFlush {})));
        let mut wire = Wire([bytes].into(), Vec::new());
        serve(&App, &mut wire, 1 << 20).unwrap();
        assert_eq!(wire.1.len(), 1, "one write");
        let mut got = BytesMut::from(&*wire.1[0]);
        for i in 0..100u8 {
            let frame = frame::take(&mut got, 1 << 20).unwrap().unwrap();
            let Some(Answer::CheckTx(a)) = frame::decode::<Response>(frame).unwrap().value else {
                panic!("order")
            };
            assert_eq!(a.data, vec![i]);
        }
    }

    #[test]
    fn broken_streams_end_with_a_reason() {
        let echo = request(Value::Echo(RequestEcho {
            message: "x".into(),
        }));
        let mut cut = Wire([echo[..3].to_vec()].into(), Vec::new());
        assert_eq!(
            serve(&App, &mut cut, 1 << 20).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        let mut large = Wire(
            [request(Value::Echo(RequestEcho {
                message: "x".repeat(99),
            }))
            .to_vec()]
            .into(),
            Vec::new(),
        );
        assert!(
            serve(&App, &mut large, 50)
                .unwrap_err()
                .to_string()
                .contains("at most 50")
        );
        let mut unknown = Wire([vec![0]].into(), Vec::new());
        serve(&App, &mut unknown, 50).unwrap();
        let mut got = BytesMut::from(&*unknown.1[0]);
        let answer: Response =
            frame::decode(frame::take(&mut got, 1 << 20).unwrap().unwrap()).unwrap();
        assert!(matches!(answer.value, Some(Answer::Exception(_))));
    }
}
