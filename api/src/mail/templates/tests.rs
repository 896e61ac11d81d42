//! Every template says what it must, and an operator's is taken in place of ours.

use super::*;
use rookery_protocol::UserId;

const WORDS: Words<'static> = Words {
    site: "https://chat.example.org",
    link: "https://chat.example.org/x#s3cret",
    code: "s3cret",
    minutes: 10,
};

fn every() -> [About; 15] {
    let user = UserId(uuid::Uuid::nil());
    [
        About::Confirm,
        About::AddressTaken,
        About::Reset,
        About::ChangeAddress { user },
        About::PasswordChanged,
        About::PasswordReset,
        About::AddressChanging,
        About::AddressChanged,
        About::TokenReused,
        About::FactorOn,
        About::FactorOff,
        About::RecoveryRenewed,
        About::IdentityLinked,
        About::IdentityUnlinked,
        About::NewLogin,
    ]
}

fn letter(language: &str, about: About) -> Letter {
    let at = Timestamp(1_795_300_800_000);
    Letter { to: "a@example.org".to_owned(), language: language.to_owned(), about, at }
}

#[test]
fn every_letter_is_there_in_every_language_and_has_its_code_where_it_needs_one() {
    let templates = Templates::load(None, "en").unwrap();
    for language in ["en", "ru"] {
        let mut subjects = BTreeSet::new();
        for about in every() {
            let (subject, text) = templates.render(&letter(language, about), &WORDS).unwrap();
            let needs = matches!(about, About::Confirm | About::Reset | About::ChangeAddress { .. });
            let place = format!("{language}/{}", about.template());
            assert_eq!(text.contains("s3cret"), needs, "{place}");
            assert_eq!(text.contains("/x#s3cret") && text.contains("10"), needs, "{place}");
            assert!(text.contains("chat.example.org") && !subject.is_empty(), "{place}");
            assert_eq!(language == "ru", text.chars().any(|c| ('а'..='я').contains(&c)), "{place}");
            subjects.insert(subject);
        }
        assert_eq!(subjects.len(), every().len());
    }
}

#[test]
fn a_language_is_chosen_by_what_is_accepted() {
    let templates = Templates::load(None, "en").unwrap();
    for (accepted, chosen) in [
        (None, "en"),
        (Some("ru-RU,ru;q=0.9,en;q=0.8"), "ru"),
        (Some("de, RU;q=0.5"), "ru"),
        (Some("de-CH"), "en"),
        (Some(";;,,"), "en"),
    ] {
        assert_eq!(templates.language(accepted), chosen, "{accepted:?}");
    }
    let unknown = Templates::load(None, "xx").unwrap_err();
    assert!(matches!(unknown, MailError::Io(..)));
}

#[test]
fn a_folder_of_the_operator_s_wins_and_its_slips_are_found_at_once() {
    let folder = std::env::temp_dir().join(format!("rookery-templates-{}", std::process::id()));
    let put = |place: &str, text: &str| {
        let file = folder.join(place);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    put("en/reset.txt", "Subject: Ours\n\nGo to {{ link }}.\n");
    put("de/reset.txt", "Subject: Neues Passwort\n\n{{ link }}\n");
    let templates = Templates::load(Some(&folder), "de").unwrap();
    let render = |language, about| templates.render(&letter(language, about), &WORDS).unwrap();
    assert_eq!(render("en", About::Reset).0, "Ours");
    assert_eq!(render("de", About::Reset).0, "Neues Passwort");
    assert_eq!(render("de", About::Confirm), render("en", About::Confirm), "what is not there is English");
    for slip in ["Subject: {{ nothing }}\n", "Subject: {% if %}\n", "no subject\n"] {
        put("en/reset.txt", slip);
        assert!(matches!(Templates::load(Some(&folder), "en"), Err(MailError::Template(..))), "{slip}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_moment_is_written_for_everybody() {
    assert_eq!(utc(Timestamp(0)), "1970-01-01 00:00 UTC");
    assert_eq!(utc(Timestamp(951_782_399_000)), "2000-02-28 23:59 UTC");
    assert_eq!(utc(Timestamp(1_795_300_800_000)), "2026-11-21 22:40 UTC");
}
