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
    let (mut is_read, mut broken, mut refused) = (false, None, 0);
    while !is_read || !conversation.chat.is_quiet() {
        let may_take = !is_read && conversation.chat.waiting() < ON_THE_WAY;
        tokio::select! {
            text = texts.recv(), if may_take => match text {
                Some(Ok(text)) => drop(conversation.chat.submit(message(room, text))?),
                // What was read before is still sent.
                Some(Err(error)) => (is_read, broken) = (true, Some(error)),
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
    if let Some(error) = broken {
        return Err(error);
    }
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

fn once(text: String) -> mpsc::Receiver<Result<String>> {
    let (sender, texts) = mpsc::channel(1);
    sender.try_send(Ok(text)).expect("the channel is empty");
    texts
}

/// Reads standard input on a thread of its own, since a read of a terminal cannot be given up. Where it
/// breaks off, that is the last thing said.
fn lines() -> mpsc::Receiver<Result<String>> {
    let (sender, texts) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let line = line.context("read standard input");
            if line.as_ref().is_ok_and(|line| line.trim().is_empty()) {
                continue;
            }
            let is_last = line.is_err();
            if sender.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    texts
}
