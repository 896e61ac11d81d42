//! Writing to people: a letter is kept durably with what it tells of and sent by the postman afterwards, so that
//! no request waits for a mail server, nor takes longer where there is an account to write to.

use super::settle::{insist, settle};
use super::{Accounts, Asker, names};
use crate::mail::{About, Letter};
use rookery_engine::store::{Mail, StoreError};
use rookery_protocol::{Timestamp, UserId};
use std::io;

/// Letters that may wait where those to one user are looked for.
const LETTERS: usize = 10_000;

impl Accounts {
    /// Has a letter be sent to `to`; nobody is written to at the address of an account that has none.
    pub(super) async fn post(&self, to: &str, about: About, asker: &Asker) -> Result<(), StoreError> {
        if !self.mailer.is_on() || names::is_nobodys(to) {
            return Ok(());
        }
        let language = self.mailer.language(asker.language.as_deref()).to_owned();
        let letter = Letter { to: to.to_owned(), language, about, at: self.now() };
        let letter = serde_json::to_string(&letter).expect("a letter is JSON");
        let mail = Mail { id: self.new_id(), due_at: self.now(), tries: 0, letter };
        settle(|| self.store.put_mail(mail.clone())).await?;
        self.has_mail.notify_one();
        Ok(())
    }

    /// Takes back letters to `user`, who had `addresses`, that are not sent yet.
    pub(crate) async fn take_letters_back(
        &self,
        user: UserId,
        addresses: &[String],
    ) -> Result<(), StoreError> {
        let mails = self.store.mails_due(Timestamp(i64::MAX), LETTERS).await?;
        if mails.len() == LETTERS {
            return Err(StoreError::Refused("too many letters wait to be sent".to_owned()));
        }
        for mail in mails {
            let Ok(letter) = serde_json::from_str::<Letter>(&mail.letter) else { continue };
            let is_to = |address: &String| address.eq_ignore_ascii_case(&letter.to);
            if addresses.iter().any(is_to) || letter.about == (About::ChangeAddress { user }) {
                settle(|| self.store.forget_mail(mail.id)).await?;
            }
        }
        Ok(())
    }

    /// Deletes letters to `addresses` that were written into files, where letters are.
    pub(crate) async fn delete_letters(&self, addresses: &[String]) -> io::Result<()> {
        self.mailer.delete(addresses).await
    }

    /// Tells somebody what has become of its account. What it tells of is done, whatever becomes of the letter.
    pub(super) async fn tell(&self, to: &str, about: About, asker: &Asker) {
        if let Err(error) = self.post(to, about, asker).await {
            tracing::error!(%error, about = about.template(), "a notice of an account was not kept");
        }
    }

    /// Tells whoever owns the account of `user`, as [`Accounts::tell`] does.
    pub(super) async fn tell_owner(&self, user: UserId, about: About, asker: &Asker) {
        match insist(|| self.store.account(user)).await {
            Ok(Some(account)) => self.tell(&account.email, about, asker).await,
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, about = about.template(), "a notice of an account was not kept");
            }
        }
    }
}
