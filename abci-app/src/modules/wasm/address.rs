//! Addresses of contracts.

use sha2::{Digest, Sha256};

/// A classic address: from the code's and the instance's number.
pub(super) fn classic(code_id: u64, instance_id: u64) -> Vec<u8> {
    module(&[code_id.to_be_bytes(), instance_id.to_be_bytes()].concat())
}

/// A predictable address (instantiate2). `msg` is empty unless the sender fixed it.
pub(super) fn predictable(checksum: &[u8], creator: &[u8], salt: &[u8], msg: &[u8]) -> Vec<u8> {
    let mut key = Vec::new();
    for part in [checksum, creator, salt, msg] {
        key.extend((part.len() as u64).to_be_bytes());
        key.extend(part);
    }
    module(&key)
}

/// The SDK's `address.Module("wasm", key)`.
fn module(key: &[u8]) -> Vec<u8> {
    let kind = Sha256::digest(b"module");
    let mut hash = Sha256::new();
    hash.update(kind);
    hash.update(b"wasm\0");
    hash.update(key);
    hash.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bech32::{Bech32, Hrp};

    #[test]
    fn the_first_contract_has_the_address_every_chain_gives_it() {
        let s = bech32::encode::<Bech32>(Hrp::parse("cosmos").unwrap(), &classic(1, 1)).unwrap();
        assert_eq!(
            s,
            "cosmos14hj2tavq8fpesdwxxcu44rty3hh90vhujrvcmstl4zr3txmfvw9s4hmalr"
        );
    }

    #[test]
    fn predictable_address_is_the_one_of_the_standard_library() {
        let (checksum, creator, salt) = ([7u8; 32], [9u8; 20], b"salt".as_slice());
        let want =
            cosmwasm_std::instantiate2_address(&checksum, &creator.to_vec().into(), salt).unwrap();
        assert_eq!(predictable(&checksum, &creator, salt, b""), want.as_slice());
    }
}
