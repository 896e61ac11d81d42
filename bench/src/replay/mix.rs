//! What else is done beside the messages of a day, decided by a seed: edits, deletes, reactions, pins,
//! marks, typing, and looks at old pages.

use fastrand::Rng;

/// Emojis that are set; fewer than a message may have kinds of.
const EMOJIS: &[&str] = &["👍", "🍵", "🎉", "❤️", "A"];

/// Messages back that count as recent.
const RECENT: usize = 12;

/// Something that is done about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doing {
    /// By whom.
    pub(crate) by: By,
    /// Index of the step that is the message.
    pub(crate) of: usize,
    /// What.
    pub(crate) deed: Deed,
}

/// Which client does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The step's user.
    Itself,
    /// The step's user, on another device where it has one.
    Phone,
    /// The room's owner.
    Owner,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// It says something else.
    Edit {
        /// What.
        text: String,
        /// Index of the user that is mentioned now.
        mentions: Option<usize>,
    },
    /// Its content is taken away.
    Delete,
    /// An emoji is set, or taken off.
    React {
        /// Which.
        emoji: &'static str,
        /// Set or taken off.
        on: bool,
    },
    /// It is pinned, or no more.
    Pin {
        /// Set or taken off.
        on: bool,
    },
    /// Everything up to it is read.
    Read,
    /// Everything up to it has arrived.
    Delivered,
    /// Somebody types after it.
    Type,
    /// The page around it is read.
    Look,
}

/// Decides what is done after each message of a script.
#[derive(Debug)]
pub(crate) struct Mix {
    rng: Rng,
    /// Step and user of every message.
    said: Vec<(usize, usize)>,
    /// Message, user and emoji of every reaction that was set.
    set: Vec<(usize, usize, &'static str)>,
    pinned: Vec<usize>,
}

impl Mix {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), said: Vec::new(), set: Vec::new(), pinned: Vec::new() }
    }

    /// Returns what is done, and by which users, after `user` has said the message that is step `step`,
    /// when `is_there` are members.
    pub(crate) fn after(&mut self, step: usize, user: usize, is_there: &[bool]) -> Vec<(usize, Doing)> {
        self.said.push((step, user));
        let mut done = Vec::new();
        // In hundredths of the messages of a day.
        for (share, deed) in [
            (8, Self::edit_recent as fn(&mut Self, usize, &[bool]) -> Option<(usize, Doing)>),
            (3, Self::edit_old),
            (3, Self::delete_own),
            (1, Self::delete_as_owner),
            (25, Self::react),
            (6, Self::react_no_more),
            (2, Self::pin),
            (20, Self::read),
            (12, Self::deliver),
            (12, Self::type_on),
            (6, Self::look),
        ] {
            if self.rng.u32(..100) < share {
                done.extend(deed(self, user, is_there));
            }
        }
        done
    }

    /// Returns a message of the newest `back` that somebody has said, or one particular user.
    fn message(&mut self, back: usize, by: Option<usize>) -> Option<usize> {
        let from = self.said.len().saturating_sub(back);
        let all = &self.said[from..];
        let fits: Vec<usize> =
            all.iter().filter(|(_, user)| by.is_none_or(|by| by == *user)).map(|(step, _)| *step).collect();
        self.rng.choice(fits)
    }

    fn somebody(&mut self, is_there: &[bool]) -> Option<usize> {
        let there: Vec<usize> = (0..is_there.len()).filter(|user| is_there[*user]).collect();
        self.rng.choice(there)
    }

    fn edit(&mut self, user: usize, of: usize, is_there: &[bool]) -> (usize, Doing) {
        let mentions = if self.rng.u32(..3) == 0 { self.somebody(is_there) } else { None };
        let text = format!("said again, {} times better", self.rng.u32(2..1_000));
        (user, Doing { by: By::Itself, of, deed: Deed::Edit { text, mentions } })
    }

    fn edit_recent(&mut self, user: usize, is_there: &[bool]) -> Option<(usize, Doing)> {
        let of = self.message(RECENT, Some(user))?;
        Some(self.edit(user, of, is_there))
    }

    fn edit_old(&mut self, user: usize, is_there: &[bool]) -> Option<(usize, Doing)> {
        let of = self.message(usize::MAX, Some(user))?;
        Some(self.edit(user, of, is_there))
    }

    fn delete_own(&mut self, user: usize, _: &[bool]) -> Option<(usize, Doing)> {
        let of = self.message(usize::MAX, Some(user))?;
        Some((user, Doing { by: By::Itself, of, deed: Deed::Delete }))
    }

    fn delete_as_owner(&mut self, user: usize, _: &[bool]) -> Option<(usize, Doing)> {
        let of = self.message(usize::MAX, None)?;
        Some((user, Doing { by: By::Owner, of, deed: Deed::Delete }))
    }

    fn react(&mut self, _: usize, is_there: &[bool]) -> Option<(usize, Doing)> {
        let of = self.message(RECENT, None)?;
        let (user, emoji) = (self.somebody(is_there)?, self.rng.choice(EMOJIS)?);
        self.set.push((of, user, emoji));
        Some((user, Doing { by: By::Itself, of, deed: Deed::React { emoji, on: true } }))
    }

    fn react_no_more(&mut self, _: usize, is_there: &[bool]) -> Option<(usize, Doing)> {
        let index = self.rng.choice(0..self.set.len())?;
        let (of, user, emoji) = self.set.swap_remove(index);
        let doing = Doing { by: By::Itself, of, deed: Deed::React { emoji, on: false } };
        is_there[user].then_some((user, doing))
    }

    fn pin(&mut self, user: usize, _: &[bool]) -> Option<(usize, Doing)> {
        let on = self.pinned.is_empty() || self.rng.u32(..3) > 0;
        let of = if on { self.message(usize::MAX, None)? } else { self.pinned.swap_remove(0) };
        if on {
            self.pinned.push(of);
        }
        Some((user, Doing { by: By::Owner, of, deed: Deed::Pin { on } }))
    }

    fn mark(&mut self, is_there: &[bool], deed: Deed) -> Option<(usize, Doing)> {
        // Now and then an old one, which has to move nothing.
        let back = if self.rng.u32(..6) == 0 { usize::MAX } else { RECENT };
        let of = self.message(back, None)?;
        let by = if self.rng.bool() { By::Phone } else { By::Itself };
        Some((self.somebody(is_there)?, Doing { by, of, deed }))
    }

    fn read(&mut self, _: usize, is_there: &[bool]) -> Option<(usize, Doing)> {
        self.mark(is_there, Deed::Read)
    }

    fn deliver(&mut self, _: usize, is_there: &[bool]) -> Option<(usize, Doing)> {
        self.mark(is_there, Deed::Delivered)
    }

    fn type_on(&mut self, _: usize, is_there: &[bool]) -> Option<(usize, Doing)> {
        let of = self.message(1, None)?;
        Some((self.somebody(is_there)?, Doing { by: By::Itself, of, deed: Deed::Type }))
    }

    fn look(&mut self, _: usize, is_there: &[bool]) -> Option<(usize, Doing)> {
        let of = self.message(usize::MAX, None)?;
        Some((self.somebody(is_there)?, Doing { by: By::Itself, of, deed: Deed::Look }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(seed: u64) -> Vec<(usize, Doing)> {
        let mut mix = Mix::new(seed);
        (0..1_000).flat_map(|step| mix.after(step, step % 7, &[true; 7])).collect()
    }

    #[test]
    fn a_seed_decides_and_everything_is_done() {
        assert_eq!(day(1), day(1));
        assert_ne!(day(1), day(2));
        let all = day(1);
        let count = |is: fn(&Deed) -> bool| all.iter().filter(|(_, doing)| is(&doing.deed)).count();
        assert!(count(|deed| matches!(deed, Deed::Edit { .. })) > 50);
        assert!(count(|deed| matches!(deed, Deed::Delete)) > 20);
        assert!(count(|deed| matches!(deed, Deed::React { on: true, .. })) > 150);
        assert!(count(|deed| matches!(deed, Deed::React { on: false, .. })) > 20);
        assert!(count(|deed| matches!(deed, Deed::Pin { .. })) > 5);
        assert!(count(|deed| matches!(deed, Deed::Read | Deed::Delivered)) > 200);
        assert!(count(|deed| matches!(deed, Deed::Type | Deed::Look)) > 100);
        assert!(all.iter().any(|(_, doing)| doing.by == By::Phone));
    }
}
