//! Codes of languages as translators write them: users have `EN`, `zh_hans` or `pt-br` set.

/// The code in its usual form: the language in small letters, a script with a capital (`zh-Hans`), a region in capitals
/// (`pt-BR`). `None` if it is no code.
pub(super) fn usual(code: &str) -> Option<String> {
    let mut parts = code.split(['-', '_']);
    let language = parts.next().filter(|part| (2..=8).contains(&part.len()))?;
    let mut usual = language.to_ascii_lowercase();
    for part in parts {
        if part.is_empty() || part.len() > 8 || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        usual.push('-');
        match part.len() {
            4 => {
                usual.push_str(&part[..1].to_ascii_uppercase());
                usual.push_str(&part[1..].to_ascii_lowercase());
            }
            _ => usual.push_str(&part.to_ascii_uppercase()),
        }
    }
    language.bytes().all(|byte| byte.is_ascii_alphabetic()).then_some(usual)
}

/// The code without its last part, which says less; `None` if it has but one.
pub(super) fn less(code: &str) -> Option<&str> {
    code.rsplit_once('-').map(|(less, _)| less)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_one_form() {
        for (code, expected) in [
            ("EN", Some("en")),
            ("EU", Some("eu")),
            ("zh_hans", Some("zh-Hans")),
            ("ZH-HANT-tw", Some("zh-Hant-TW")),
            ("pt-br", Some("pt-BR")),
            ("es-419", Some("es-419")),
            ("", None),
            ("e", None),
            ("en-", None),
            ("e1", None),
            ("en-ü", None),
            ("auto", Some("auto")),
            ("languages", None),
        ] {
            assert_eq!(usual(code).as_deref(), expected, "{code}");
        }
        assert_eq!((less("zh-Hant-TW"), less("zh-Hant"), less("zh")), (Some("zh-Hant"), Some("zh"), None));
    }
}
