//! From a day to a script: who does what in which order, with memberships that hold together.

use super::mix::{Doing, Mix};
use crate::irc::{Day, What};
use std::collections::HashMap;
use std::time::Duration;

/// The kind of the message that a rename becomes.
const NICK_KIND: &str = "x.nick";

/// One thing that one user does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Index of the user among the script's.
    pub(crate) user: usize,
    /// When, after the beginning of the day, at the day's own speed.
    pub(crate) at: Duration,
    /// What.
    pub(crate) action: Action,
}

/// What a user does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Becomes a member.
    Join,
    /// Stops being one.
    Leave,
    /// Says something.
    Say(Saying),
    /// Does something about a message.
    Do(Doing),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saying {
    /// The kind of its own that it has, if any.
    pub(crate) kind: Option<&'static str>,
    /// Its text.
    pub(crate) text: String,
    /// Index of the step that it answers.
    pub(crate) answers: Option<usize>,
    /// Indices of the users that it calls on.
    pub(crate) mentions: Vec<usize>,
}

/// A day, once or several times over.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// The day's name.
    pub(crate) name: String,
    /// The users' nicks, as they were first seen.
    pub(crate) nicks: Vec<String>,
    /// In their order.
    pub(crate) steps: Vec<Step>,
}

impl Script {
    /// Writes the script of `rounds` times `day`, with what `seed` adds to it.
    pub(crate) fn new(day: &Day, rounds: usize, seed: u64) -> Self {
        let mut writer = Writer { mix: Some(Mix::new(seed)), ..Writer::default() };
        for round in 0..rounds {
            writer.play(day, round);
        }
        Self { name: day.name.clone(), nicks: writer.nicks, steps: writer.steps }
    }
}

#[derive(Debug, Default)]
struct Writer {
    nicks: Vec<String>,
    steps: Vec<Step>,
    /// Who has which nick now.
    users: HashMap<String, usize>,
    is_member: Vec<bool>,
    /// Nothing is added without.
    mix: Option<Mix>,
}

impl Writer {
    fn play(&mut self, day: &Day, round: usize) {
        let begun = self.steps.last().map_or(Duration::ZERO, |step| step.at);
        let times = times(day);
        // Answers stay within their round.
        let mut steps_of: HashMap<usize, usize> = HashMap::new();
        for (number, line) in day.lines.iter().enumerate() {
            let at = begun + times[number];
            match &line.what {
                What::Say { nick, text } => {
                    let user = self.user(nick);
                    self.join(user, at);
                    let answers = day.answers.get(&number).and_then(|line| steps_of.get(line)).copied();
                    steps_of.insert(number, self.steps.len());
                    let saying = Saying {
                        kind: None,
                        text: text.clone(),
                        answers,
                        mentions: self.mentioned(text, user),
                    };
                    self.steps.push(Step { user, at, action: Action::Say(saying) });
                    self.add(user, at);
                }
                What::Join { nick } => {
                    let user = self.user(nick);
                    self.join(user, at);
                }
                What::Leave { nick } => {
                    let user = self.user(nick);
                    if std::mem::replace(&mut self.is_member[user], false) {
                        self.steps.push(Step { user, at, action: Action::Leave });
                    }
                }
                What::Rename { from, to } => self.rename(from, to, at),
                What::Other => {}
            }
        }
        debug_assert!(round == 0 || !self.steps.is_empty());
    }

    /// Adds what is done after the message that is the last step.
    fn add(&mut self, user: usize, at: Duration) {
        let Some(mix) = &mut self.mix else { return };
        let done = mix.after(self.steps.len() - 1, user, &self.is_member);
        let step = |(user, doing)| Step { user, at, action: Action::Do(doing) };
        self.steps.extend(done.into_iter().map(step));
    }

    fn user(&mut self, nick: &str) -> usize {
        if let Some(user) = self.users.get(nick) {
            return *user;
        }
        let user = self.nicks.len();
        self.nicks.push(nick.to_owned());
        self.is_member.push(false);
        self.users.insert(nick.to_owned(), user);
        user
    }

    fn join(&mut self, user: usize, at: Duration) {
        if !std::mem::replace(&mut self.is_member[user], true) {
            self.steps.push(Step { user, at, action: Action::Join });
        }
    }

    fn rename(&mut self, from: &str, to: &str, at: Duration) {
        let user = self.user(from);
        self.users.remove(from);
        self.users.insert(to.to_owned(), user);
        if self.is_member[user] {
            let text = format!("{from} is now known as {to}");
            let saying = Saying { kind: Some(NICK_KIND), text, answers: None, mentions: Vec::new() };
            self.steps.push(Step { user, at, action: Action::Say(saying) });
        }
    }

    /// Finds who is addressed: `nick: …` or `nick, …`.
    fn mentioned(&self, text: &str, by: usize) -> Vec<usize> {
        let addressed = text.split([':', ',']).next().filter(|nick| nick.len() < text.len());
        let user = addressed.and_then(|nick| self.users.get(nick)).copied();
        user.filter(|user| *user != by).into_iter().collect()
    }
}

/// Returns when each line is said: lines of one minute are spread over it evenly.
fn times(day: &Day) -> Vec<Duration> {
    let mut minutes: Vec<u32> = Vec::with_capacity(day.lines.len());
    let (mut midnights, mut last) = (0, None);
    for line in &day.lines {
        let minute = line.minute.or(last).unwrap_or(0);
        if last.is_some_and(|last| minute < last) {
            midnights += 1;
        }
        last = Some(minute);
        minutes.push(midnights * 24 * 60 + minute);
    }
    let first = minutes.first().copied().unwrap_or(0);
    let mut times = Vec::with_capacity(minutes.len());
    for of_minute in minutes.chunk_by(|one, next| one == next) {
        let lines = u32::try_from(of_minute.len()).unwrap_or(u32::MAX);
        let begun = Duration::from_secs(60) * (of_minute[0] - first);
        times.extend((0..lines).map(|number| begun + Duration::from_secs(60) * number / lines));
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(raw: &str, links: &str, rounds: usize) -> Script {
        let mut writer = Writer::default();
        let day = Day::parse("d".to_owned(), raw.as_bytes(), links);
        (0..rounds).for_each(|round| writer.play(&day, round));
        Script { name: day.name, nicks: writer.nicks, steps: writer.steps }
    }

    fn shown(script: &Script) -> Vec<String> {
        let show = |step: &Step| {
            let what = match &step.action {
                Action::Join => "joins".to_owned(),
                Action::Leave => "leaves".to_owned(),
                Action::Do(doing) => format!("{doing:?}"),
                Action::Say(saying) => {
                    format!("{} {:?} {:?} {:?}", saying.text, saying.kind, saying.answers, saying.mentions)
                }
            };
            format!("{} {} {what}", step.at.as_secs(), step.user)
        };
        script.steps.iter().map(show).collect()
    }

    #[test]
    fn members_join_before_they_speak_and_a_rename_keeps_the_user() {
        let raw = "[23:59] <a> hello\n=== b [h] has joined #x\n=== b is now known as c\n[00:00] <c> a: hi\n\
                   === c [h] has left #x\n=== d [h] has left #x\n[00:01] <c> a thing: no\n";
        assert_eq!(
            shown(&script(raw, "0 3 -", 1)),
            [
                "0 0 joins",
                "0 0 hello None None []",
                "20 1 joins",
                "40 1 b is now known as c Some(\"x.nick\") None []",
                "60 1 a: hi None Some(1) [0]",
                "80 1 leaves",
                "120 1 joins",
                "120 1 a thing: no None None []",
            ]
        );
    }

    #[test]
    fn a_second_round_goes_on_with_the_members_of_the_first() {
        let twice = script("[10:00] <a> one\n[10:00] <a> two\n", "0 1 -", 2);
        assert_eq!(
            shown(&twice),
            [
                "0 0 joins",
                "0 0 one None None []",
                "30 0 two None Some(1) []",
                "30 0 one None None []",
                "60 0 two None Some(3) []"
            ]
        );
    }
}
