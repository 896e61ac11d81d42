//! The query of a URL: percent-decoded pairs.

/// Returns the value of `name`, the first one when there are several.
///
/// `+` is a plus sign: this is a URI's query (RFC 3986), not a form's. A value whose encoding is broken
/// stands as it is, so that whoever reads it refuses it.
pub(crate) fn value(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key)? == name).then(|| decode(value).unwrap_or_else(|| value.to_owned()))
    })
}

/// Undoes percent-encoding (RFC 3986, section 2.1); `None` when it is broken or not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_decoded() {
        let query = "limit=20&cursor=a%2Bb%3D%c3%a9&verbose&limit=30";
        assert_eq!(value(query, "limit").as_deref(), Some("20"));
        assert_eq!(value(query, "cursor").as_deref(), Some("a+b=é"));
        assert_eq!(value(query, "verbose").as_deref(), Some(""));
        assert_eq!(value(query, "after"), None);
        assert_eq!(value("", "limit"), None);
    }

    #[test]
    fn broken_encoding_stands_as_it_is() {
        for text in ["%", "%2", "%zz", "%ff", "%+1"] {
            assert_eq!(value(&format!("a={text}"), "a").as_deref(), Some(text));
            assert_eq!(value(&format!("{text}=1"), "a"), None);
        }
    }
}
