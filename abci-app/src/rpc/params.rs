//! Parameters of a call: an object or a list of a POST, or the query of a URI with its quotes and `0x`.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

/// Where the parameters come from decides how texts and bytes are written.
#[derive(Debug, Clone)]
pub enum Params {
    /// A JSON body.
    Json(Map<String, Value>),
    /// A URI.
    Uri(Map<String, Value>),
}

/// Why a parameter is refused.
pub type Invalid = String;

impl Params {
    /// The parameters of a JSON-RPC request; a list is named by `names`.
    ///
    /// # Errors
    /// When it is neither object nor list, or the list is too long.
    pub fn json(params: Option<Value>, names: &[&str]) -> Result<Self, Invalid> {
        Ok(Self::Json(match params {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(map)) => map,
            Some(Value::Array(list)) => {
                if list.len() > names.len() {
                    return Err(format!(
                        "expected {} parameters ({}), got {}",
                        names.len(),
                        names.join(", "),
                        list.len()
                    ));
                }
                names.iter().map(ToString::to_string).zip(list).collect()
            }
            Some(_) => return Err("expected an object or a list of parameters".into()),
        }))
    }

    fn get(&self, name: &str) -> Option<&Value> {
        let (Self::Json(map) | Self::Uri(map)) = self;
        map.get(name)
            .filter(|v| !v.is_null() && v.as_str() != Some(""))
    }

    /// A text.
    ///
    /// # Errors
    /// When it is not one.
    pub fn text(&self, name: &str) -> Result<String, Invalid> {
        let wrong = || format!("expected {name} to be a text");
        match (self, self.get(name)) {
            (_, None) => Ok(String::new()),
            (Self::Json(_), Some(v)) => v.as_str().map(Into::into).ok_or_else(wrong),
            (Self::Uri(_), Some(v)) => {
                let raw = v.as_str().unwrap_or_default();
                unquote(raw)
                    .map(Into::into)
                    .ok_or_else(|| format!("{} in double quotes, got {raw}", wrong()))
            }
        }
    }

    /// A whole number, bare or as a text.
    ///
    /// # Errors
    /// When it is not one.
    pub fn int(&self, name: &str) -> Result<Option<i64>, Invalid> {
        let Some(v) = self.get(name) else {
            return Ok(None);
        };
        let number = match v {
            Value::Number(n) => n.as_i64(),
            Value::String(s) => unquote(s).unwrap_or(s).parse().ok(),
            _ => None,
        };
        number
            .map(Some)
            .ok_or_else(|| format!("expected {name} to be a whole number, got {v}"))
    }

    /// A truth value.
    ///
    /// # Errors
    /// When it is not one.
    pub fn flag(&self, name: &str) -> Result<bool, Invalid> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(b)) => Ok(*b),
            Some(Value::String(s)) if s == "true" => Ok(true),
            Some(Value::String(s)) if s == "false" => Ok(false),
            Some(v) => Err(format!("expected {name} to be true or false, got {v}")),
        }
    }

    /// Bytes that JSON writes in base64: transactions and hashes.
    ///
    /// # Errors
    /// When they do not decode.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, Invalid> {
        match self {
            Self::Json(_) => STANDARD
                .decode(self.text(name)?)
                .map_err(|e| format!("expected {name} to be base64: {e}")),
            Self::Uri(_) => self.uri_bytes(name),
        }
    }

    /// Bytes that JSON writes in hex: the data of a query.
    ///
    /// # Errors
    /// When they do not decode.
    pub fn hex_bytes(&self, name: &str) -> Result<Vec<u8>, Invalid> {
        match self {
            Self::Json(_) => {
                let text = self.text(name)?;
                hex::decode(text.strip_prefix("0x").unwrap_or(&text))
                    .map_err(|e| format!("expected {name} to be hex: {e}"))
            }
            Self::Uri(_) => self.uri_bytes(name),
        }
    }

    /// `0xHEX`, or a quoted text that is meant as it stands.
    fn uri_bytes(&self, name: &str) -> Result<Vec<u8>, Invalid> {
        let raw = self.get(name).and_then(Value::as_str).unwrap_or_default();
        if let Some(digits) = raw.strip_prefix("0x") {
            return hex::decode(digits).map_err(|e| format!("expected {name} to be hex: {e}"));
        }
        if raw.is_empty() {
            return Ok(Vec::new());
        }
        unquote(raw)
            .map(|t| t.as_bytes().to_vec())
            .ok_or_else(|| format!("expected {name} to be 0xHEX or \"text\", got {raw}"))
    }
}

fn unquote(s: &str) -> Option<&str> {
    s.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_ways_of_writing() {
        let body = Params::json(
            Some(json!({ "height": "5", "page": 2, "tx": "AQI=", "data": "0a0B", "prove": true, "query": "a.b='c'" })),
            &[],
        )
        .unwrap();
        let uri = Params::Uri(
            [
                ("height", "5"),
                ("page", "\"2\""),
                ("tx", "0x0102"),
                ("data", "0x0a0b"),
                ("prove", "true"),
                ("query", "\"a.b='c'\""),
            ]
            .into_iter()
            .map(|(k, v)| (k.to_owned(), json!(v)))
            .collect(),
        );
        for p in [body, uri] {
            assert_eq!(p.int("height"), Ok(Some(5)));
            assert_eq!(p.int("page"), Ok(Some(2)));
            assert_eq!(p.bytes("tx"), Ok(vec![1, 2]));
            assert_eq!(p.hex_bytes("data"), Ok(vec![10, 11]));
            assert_eq!(p.flag("prove"), Ok(true));
            assert_eq!(p.text("query"), Ok("a.b='c'".into()));
            assert_eq!(p.int("absent"), Ok(None));
        }
        let list = Params::json(Some(json!(["7"])), &["height"]).unwrap();
        assert_eq!(list.int("height"), Ok(Some(7)));
        assert!(Params::json(Some(json!([1, 2])), &["height"]).is_err());
        assert!(Params::json(Some(json!(5)), &["height"]).is_err());
        assert!(
            Params::json(Some(json!({"height": "x"})), &[])
                .unwrap()
                .int("height")
                .is_err()
        );
    }
}
