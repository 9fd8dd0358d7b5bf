//! The public sample pair of Agora's token tools, and the vectors made with it.

use stentor_token::Refusal;

/// The sample App ID.
pub(crate) const APP: &str = "970CA35de60c44645bbae8a215061b33";
/// The sample certificate.
pub(crate) const CERT: &str = "5CFd2fd1755d40ecb72977518be15d3b";

/// 006-B: `userA`, good until 2100-01-01.
pub(crate) const V006_B: &str = "006970CA35de60c44645bbae8a215061b33IAA309M/b8Z39lo7Y1QXzmIYP7Un81lCpRRQWHDSGMcPo2n0VNwAAAAAEABOYbwAAFeG9AEA6AMAAAAA";
/// 007-A: RTM `test_user`, issueTs 1111111, 600 s.
pub(crate) const V007_A: &str = "007eJxTYOCdJftjyTM2zxW6Xhm/5T0j5LdcUt/xYVt48fb5Mp3PX9coMFiaGzg7GpumpJoZJJuYmJmYJiUlplokGhmaGpgZJhkbu38RYIhgYmBgZABhJgZGBkYwn5OhJLW4JL60OLUIAFlWHoA=";

/// One vector file.
pub(crate) fn vectors(text: &str) -> Vec<serde_json::Value> {
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Array(list)) => list,
        other => panic!("not a list of vectors: {other:?}"),
    }
}

/// A text field of a vector.
pub(crate) fn text<'a>(vector: &'a serde_json::Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap_or_else(|| panic!("{field}"))
}

/// A number of a vector.
pub(crate) fn number(vector: &serde_json::Value, field: &str) -> u32 {
    let value = vector[field].as_u64().and_then(|v| u32::try_from(v).ok());
    value.unwrap_or_else(|| panic!("{field}"))
}

/// The outcome without its content, to compare the reason alone.
pub(crate) fn reason<T>(result: Result<T, Refusal>) -> Option<Refusal> {
    result.err()
}
