//! What the fuzz targets run, shared with `tests/fuzz_corpus.rs`, which runs it on stable: each holds the parser of push
//! settings against a small model.

use stentor_core::push::text::MAX_TEXT;
use stentor_core::push::{
    DailyInterval, PushFrom, PushLanguage, PushTemplate, PushWords, Said, SenderText, Templates, render,
};

/// A daily interval: what is one, how it is written, and which minutes are in it.
pub(crate) fn interval(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = DailyInterval::parse(text);
    let model = interval_model(text);
    assert_eq!(read.is_some(), model.is_some(), "{text}");
    let (Some(read), Some((from, to))) = (read, model) else { return };
    assert_eq!(DailyInterval::parse(&read.to_string()), Some(read), "it comes back");
    // Minute by minute from the first until the last, over midnight if need be.
    let mut within = vec![false; 1440];
    let mut minute = from;
    loop {
        within[minute] = true;
        minute = (minute + 1) % 1440;
        if minute == to {
            break;
        }
    }
    for (minute, expected) in (0..).zip(within) {
        assert_eq!(read.contains(minute), expected, "{text} {minute}");
    }
}

/// Its first minute, and the one behind its last.
fn interval_model(text: &str) -> Option<(usize, usize)> {
    let separators: String = text.chars().filter(|char| !char.is_ascii_digit()).collect();
    let numbers: Vec<&str> = text.split([':', '-']).collect();
    if separators != ":-:" || numbers.iter().any(|digits| digits.is_empty() || digits.len() > 2) {
        return None;
    }
    let numbers: Vec<usize> = numbers.iter().filter_map(|digits| digits.parse().ok()).collect();
    let &[from_hour, from_minute, to_hour, to_minute] = &numbers[..] else { return None };
    let good = from_hour < 24 && to_hour < 24 && from_minute < 60 && to_minute < 60;
    good.then_some((from_hour * 60 + from_minute, to_hour * 60 + to_minute))
}

const FROM: &str = "Alice";
const REMARK: &str = "Al";
const MESSAGE: &str = "hi {0}";

/// A template's pattern on the first line, its arguments on the others.
pub(crate) fn pattern(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n').map(str::to_owned);
    let pattern = lines.next().unwrap_or_default();
    let args: Vec<String> = lines.collect();
    let title = pattern.clone();
    let template = PushTemplate { name: "t".to_owned(), created_ms: 0, updated_ms: 0, title, content: String::new() };
    let sender = SenderText { title_args: args.clone(), ..SenderText::default() };
    let words = PushWords {
        style: Default::default(),
        from: PushFrom { user: "alice", nickname: Some(FROM), remark: Some(REMARK), ..PushFrom::default() },
        said: Said::Text(MESSAGE),
        language: PushLanguage::English,
        templates: Templates { senders: Some(&template), ..Templates::default() },
        sender: &sender,
    };
    let filled = render(&words).title;
    assert!(filled.len() <= MAX_TEXT);
    let model = pattern_model(&pattern, Some(&args));
    if model.len() <= MAX_TEXT {
        assert_eq!(filled, model, "{pattern}");
    } else {
        assert!(
            model.starts_with(filled.trim_end_matches('…')) || args.iter().any(|arg| arg.len() > MAX_TEXT),
            "{pattern}"
        );
    }
}

/// From left to right: a place that is one is replaced, and anything else stays.
fn pattern_model(pattern: &str, args: Option<&[String]>) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let (mut filled, mut at) = (String::new(), 0);
    while at < chars.len() {
        let end = chars[at..].iter().position(|char| *char == '}').map(|length| at + length);
        let place = end.filter(|_| chars[at] == '{').and_then(|end| {
            let name: String = chars[at + 1..end].iter().collect();
            Some((end, place_model(&name, args)?))
        });
        match place {
            Some((end, value)) => {
                filled.push_str(&value);
                at = end + 1;
            }
            None => {
                filled.push(chars[at]);
                at += 1;
            }
        }
    }
    filled
}

fn place_model(name: &str, args: Option<&[String]>) -> Option<String> {
    match name {
        "$fromNickname" => Some(FROM.to_owned()),
        "$dynamicFrom" => Some(REMARK.to_owned()),
        "$msg" => Some(MESSAGE.to_owned()),
        _ if args.is_some()
            && name.len() <= 4
            && !name.is_empty()
            && name.chars().all(|char| char.is_ascii_digit()) =>
        {
            let number: usize = name.parse().ok()?;
            Some(args?.get(number).map(|arg| pattern_model(arg, None)).unwrap_or_default())
        }
        _ => None,
    }
}
