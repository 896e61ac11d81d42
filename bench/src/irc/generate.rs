//! A day made from a seed, in the format of the corpus, for machines that do not have it.
//!
//! It has what real days have and what breaks software: hundreds of nicks, joins and leaves, renames,
//! actions, answers, other encodings, control characters, long lines, damaged lines.

use super::day::Day;
use fastrand::Rng;
use std::fmt::Write as _;

/// Lines of an ordinary day of the corpus.
pub(crate) const LINES: usize = 1_700;

/// Nicks of an ordinary day of the corpus.
const NICKS: usize = 300;

/// Lines back that an answer looks at most.
const MEMORY: usize = 30;

const SYLLABLES: &[&str] = &["ka", "ro", "mi", "tu", "xe", "lo", "ban", "dor", "fli", "pex", "zu", "na"];

const WORDS: &[&str] = &[
    "the",
    "kernel",
    "sound",
    "does",
    "not",
    "work",
    "after",
    "update",
    "try",
    "sudo",
    "install",
    "what",
    "is",
    "your",
    "driver",
    "thanks",
    "reboot",
    "yes",
    "no",
    "it",
    "says",
    "permission",
    "denied",
    "où",
    "größe",
    "日本",
    "🙂",
    "http://example.org/a?b=c",
    "xorg",
    "paste",
    "that",
    "please",
];

/// Returns a day of `lines` lines. The same seed gives the same day.
pub(crate) fn generate(seed: u64, lines: usize) -> Day {
    let (raw, annotation) = Channel::new(Rng::with_seed(seed)).play(lines.max(1));
    Day::parse(format!("generated-{seed}"), &raw, &annotation)
}

struct Channel {
    rng: Rng,
    nicks: Vec<String>,
    /// Indices of nicks that are there.
    present: Vec<usize>,
    /// Line and speaker of the newest messages.
    said: Vec<(usize, usize)>,
    raw: Vec<u8>,
    annotation: String,
}

impl Channel {
    fn new(mut rng: Rng) -> Self {
        let nicks = (0..NICKS).map(|number| nick(&mut rng, number)).collect();
        let present = (0..NICKS / 4).collect();
        Self { rng, nicks, present, said: Vec::new(), raw: Vec::new(), annotation: String::new() }
    }

    fn play(mut self, lines: usize) -> (Vec<u8>, String) {
        for line in 0..lines {
            let minute = line * 24 * 60 / lines;
            match self.rng.u32(..100) {
                0..10 => self.join(),
                10..14 => self.leave(),
                14..16 => self.rename(),
                16 => self.raw.extend_from_slice(b"=== mode/#channel [+o someone]  by ChanServ"),
                17 => self.damage(),
                _ => self.say(line, minute),
            }
            self.raw.push(b'\n');
        }
        (self.raw, self.annotation)
    }

    fn join(&mut self) {
        let nick = self.rng.usize(..NICKS);
        if !self.present.contains(&nick) {
            self.present.push(nick);
        }
        let notice = format!("=== {} [n=user@host-{nick}.example]  has joined #channel", self.nicks[nick]);
        self.raw.extend_from_slice(notice.as_bytes());
    }

    fn leave(&mut self) {
        let nick = self.present.swap_remove(self.rng.usize(..self.present.len()));
        if self.present.is_empty() {
            self.present.push(0);
        }
        let notice = format!(
            "=== {} [n=user@host-{nick}.example]  has left #channel [\"Leaving\"] ",
            self.nicks[nick]
        );
        self.raw.extend_from_slice(notice.as_bytes());
    }

    fn rename(&mut self) {
        let nick = self.present[self.rng.usize(..self.present.len())];
        let to = format!("{}_", self.nicks[nick]);
        let notice = format!("=== {} is now known as {to}", self.nicks[nick]);
        self.raw.extend_from_slice(notice.as_bytes());
        self.nicks[nick] = to;
    }

    fn damage(&mut self) {
        let bytes = self.rng.usize(..40);
        let damaged = std::iter::repeat_with(|| self.rng.u8(..)).filter(|byte| *byte != b'\n').take(bytes);
        self.raw.extend(damaged.collect::<Vec<u8>>());
    }

    fn say(&mut self, line: usize, minute: usize) {
        let speaker = self.present[self.rng.usize(..self.present.len())];
        let _ = write!(Bytes(&mut self.raw), "[{:02}:{:02}] ", minute / 60, minute % 60);
        let nick = self.nicks[speaker].clone();
        let opening = if self.rng.u32(..30) == 0 { format!(" * {nick} ") } else { format!("<{nick}> ") };
        self.raw.extend_from_slice(opening.as_bytes());
        let back = self.said.len().min(MEMORY);
        if back > 0 && self.rng.u32(..10) < 6 {
            let (answered, by) = self.said[self.said.len() - 1 - self.rng.usize(..back)];
            let _ = writeln!(self.annotation, "{answered} {line} -");
            if self.rng.bool() {
                let mark = if self.rng.bool() { ':' } else { ',' };
                self.raw.extend_from_slice(format!("{}{mark} ", self.nicks[by]).as_bytes());
            }
        } else {
            let _ = writeln!(self.annotation, "{line} {line} -");
        }
        self.text();
        self.said.push((line, speaker));
    }

    fn text(&mut self) {
        let words = if self.rng.u32(..200) == 0 { 400 } else { self.rng.usize(1..20) };
        for _ in 0..words {
            self.raw.extend_from_slice(WORDS[self.rng.usize(..WORDS.len())].as_bytes());
            self.raw.push(b' ');
        }
        match self.rng.u32(..60) {
            // Latin-1, as old clients wrote it, and the bold and colour of IRC.
            0 => self.raw.extend_from_slice(b"caf\xe9 \xfcber"),
            1 => self.raw.extend_from_slice(b"\x02bold\x02 \x0304red\x03 \x07"),
            _ => {}
        }
    }
}

/// Lets `write!` append to bytes.
struct Bytes<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn nick(rng: &mut Rng, number: usize) -> String {
    let syllables: String = (0..rng.usize(1..4)).map(|_| SYLLABLES[rng.usize(..SYLLABLES.len())]).collect();
    match rng.u32(..4) {
        0 => format!("{syllables}|{number}"),
        1 => format!("{}{number}", syllables.to_uppercase()),
        2 => format!("[{syllables}]{number}"),
        _ => format!("{syllables}{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::What;
    use super::*;

    #[test]
    fn a_seed_makes_one_day_with_everything_in_it() {
        let day = generate(1, LINES);
        assert_eq!(day, generate(1, LINES));
        assert_ne!(day, generate(2, LINES));
        assert_eq!(day.lines.len(), LINES);
        let count = |is: fn(&What) -> bool| day.lines.iter().filter(|line| is(&line.what)).count();
        assert!(count(|what| matches!(what, What::Say { .. })) > LINES / 2);
        assert!(count(|what| matches!(what, What::Join { .. })) > 50);
        assert!(count(|what| matches!(what, What::Leave { .. })) > 20);
        assert!(count(|what| matches!(what, What::Rename { .. })) > 10);
        assert!(count(|what| matches!(what, What::Other)) > 10);
        assert!(day.answers.len() > LINES / 4);
        assert!(
            day.lines.iter().any(|line| matches!(&line.what, What::Say { text, .. } if text.len() > 1_000))
        );
    }
}
