//! `rookery send ROOM [TEXT]`: each message exactly once, over as many connections as it takes.

use crate::cli::{Output, SendArgs};
use crate::conversation::Conversation;
use crate::exit::Refused;
use crate::resolve;
use crate::session::{Session, block_on};
use anyhow::{Context, Result};
use rookery_client::News;
use rookery_engine::{Clock, SystemClock, SystemRandom, uuid_v7};
use rookery_protocol::{ClientId, MessageBody, MessageSend, Op, RoomId, Sent};
use std::io::BufRead;
use tokio::sync::mpsc;

/// Messages that are on their way at a time; standard input is not read beyond.
const ON_THE_WAY: usize = 64;

/// Sends the text, or every line of standard input, and returns once all is durable.
pub(crate) fn run(args: &SendArgs) -> Result<()> {
    block_on(send(args))
}

async fn send(args: &SendArgs) -> Result<()> {
    let mut session = Session::open(&args.connection)?;
    let room = resolve::room(&mut session, &args.room).await?.id;
    let mut conversation = Conversation::begin(session).await?;
    let mut texts = match &args.text {
        Some(text) => once(text.clone()),
        None => lines(),
    };
    let (mut is_read, mut refused) = (false, 0);
    while !is_read || !conversation.chat.is_quiet() {
        let may_take = !is_read && conversation.chat.waiting() < ON_THE_WAY;
        tokio::select! {
            text = texts.recv(), if may_take => match text {
                Some(text) => drop(conversation.chat.submit(message(room, text))?),
                None => is_read = true,
            },
            news = conversation.next() => {
                if let News::Answered { outcome, .. } = news? {
                    match outcome {
                        Ok(body) => print(args.connection.output, &body.read()?)?,
                        Err(error) => {
                            eprintln!("rookery: not sent: {error}");
                            refused += 1;
                        }
                    }
                }
            }
        }
    }
    conversation.chat.end().await;
    if refused > 0 { Err(Refused(refused).into()) } else { Ok(()) }
}

/// Nothing is said to people when all is well.
fn print(output: Output, sent: &Sent) -> Result<()> {
    match output {
        Output::Text => Ok(()),
        Output::Json => output.print(sent, ""),
    }
}

fn message(room: RoomId, text: String) -> Op {
    let client_id = ClientId(uuid_v7(SystemClock::new().now(), &SystemRandom));
    let body = MessageBody::text(text);
    Op::MessageSend(Box::new(MessageSend { room, client_id, attempt: None, body, reply_to: None }))
}

fn once(text: String) -> mpsc::Receiver<String> {
    let (sender, texts) = mpsc::channel(1);
    sender.try_send(text).expect("the channel is empty");
    texts
}

/// Reads standard input on a thread of its own, since a read of a terminal cannot be given up.
fn lines() -> mpsc::Receiver<String> {
    let (sender, texts) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line.context("read standard input") else { return };
            if !line.trim().is_empty() && sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    texts
}
