//! One line of a channel's log.

/// A line, with the minute of the day where it says one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Minutes after midnight.
    pub(crate) minute: Option<u32>,
    /// What happened.
    pub(crate) what: What,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// `[hh:mm] <nick> text`, or `[hh:mm]  * nick acts`.
    Say { nick: String, text: String },
    /// `=== nick [host] has joined #channel`.
    Join { nick: String },
    /// `=== nick [host] has left #channel`, or has quit.
    Leave { nick: String },
    /// `=== nick is now known as other`.
    Rename { from: String, to: String },
    /// Anything else: modes, topics, damaged lines.
    Other,
}

impl Line {
    /// Reads a line. Every line is one: what is not understood is [`What::Other`].
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.trim_end_matches('\r');
        if let Some(notice) = text.strip_prefix("===") {
            return Self { minute: None, what: notice_of(notice.trim()) };
        }
        match stamp(text) {
            Some((minute, rest)) => Self { minute: Some(minute), what: said(rest) },
            None => Self { minute: None, what: What::Other },
        }
    }
}

/// Splits `[hh:mm]` off.
fn stamp(text: &str) -> Option<(u32, &str)> {
    let (stamp, rest) = text.strip_prefix('[')?.split_once(']')?;
    let (hour, minute) = stamp.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some((hour * 60 + minute, rest))
}

fn said(rest: &str) -> What {
    let rest = rest.trim_start();
    let parts = match rest.strip_prefix('<') {
        Some(rest) => {
            rest.split_once('>').map(|(nick, text)| (nick, text.strip_prefix(' ').unwrap_or(text).to_owned()))
        }
        None => rest.strip_prefix("* ").and_then(|acts| {
            let nick = acts.split(' ').next()?;
            Some((nick, format!("* {acts}")))
        }),
    };
    match parts {
        Some((nick, text)) if !nick.trim().is_empty() && !text.trim().is_empty() => {
            What::Say { nick: nick.trim().to_owned(), text }
        }
        _ => What::Other,
    }
}

fn notice_of(notice: &str) -> What {
    if let Some((from, to)) = notice.split_once(" is now known as ") {
        return What::Rename { from: from.trim().to_owned(), to: to.trim().to_owned() };
    }
    let Some((nick, rest)) = notice.split_once(' ') else { return What::Other };
    // The host in brackets may hold anything but a closing one.
    let verb = rest
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .map(|(_, verb)| verb.trim_start());
    let nick = nick.to_owned();
    match verb {
        Some(verb) if verb.starts_with("has joined") => What::Join { nick },
        Some(verb) if verb.starts_with("has left") || verb.starts_with("has quit") => What::Leave { nick },
        _ => What::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(nick: &str, text: &str) -> What {
        What::Say { nick: nick.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn every_kind_of_line_is_understood() {
        let nick = || "burns".to_owned();
        for (text, minute, what) in [
            ("[11:22] <guzu> ok, what's <this>?", Some(682), say("guzu", "ok, what's <this>?")),
            ("[02:27]  * Peregrino says Hi!", Some(147), say("Peregrino", "* Peregrino says Hi!")),
            ("=== burns [n=b@85-124-49-185.example]  has joined #ubuntu", None, What::Join { nick: nick() }),
            ("=== burns [n=b@x] has left #ubuntu [\"Leaving\"] ", None, What::Leave { nick: nick() }),
            ("=== burns [n=b@x] has quit []", None, What::Leave { nick: nick() }),
            ("=== burns is now known as b_", None, What::Rename { from: nick(), to: "b_".to_owned() }),
            ("=== mode/#ubuntu [-o mdz]  by ChanServ", None, What::Other),
            ("=== wrong link: http://x", None, What::Other),
            ("[25:99] <a> b", None, What::Other),
            ("[11:22] <a>  ", Some(682), What::Other),
            ("[11:22] <> b", Some(682), What::Other),
            ("\u{fffd}", None, What::Other),
            ("", None, What::Other),
        ] {
            assert_eq!(Line::parse(text), Line { minute, what }, "{text}");
        }
    }
}
