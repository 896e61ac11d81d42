//! `rookery tail ROOM`: what was said, and what is being said.

use crate::cli::TailArgs;
use crate::conversation::Conversation;
use crate::resolve;
use crate::session::{Session, block_on};
use crate::transcript::Transcript;
use anyhow::{Context, Result, bail};
use rookery_client::News;
use rookery_protocol::{Event, History};

/// Prints a room's events until interrupted.
pub(crate) fn run(args: &TailArgs) -> Result<()> {
    block_on(tail(args))
}

async fn tail(args: &TailArgs) -> Result<()> {
    let mut session = Session::open(&args.connection)?;
    let room = resolve::room(&mut session, &args.room).await?;
    let mut transcript = Transcript::of(room.id);
    let mut position = room.head.seq;
    if args.lines > 0 {
        let path = format!("/v1/rooms/{}/messages?limit={}", room.id, args.lines);
        let page: History = session.get(&path).await.context("read what was said")?;
        position = page.head.seq;
        for message in page.messages {
            print(args, &mut transcript, &mut session, &message.event).await?;
        }
    }
    let mut conversation = Conversation::begin(session).await?;
    conversation.chat.follow(room.id, Some(position));
    loop {
        match conversation.next().await? {
            News::Event(event) => print(args, &mut transcript, conversation.session(), &event).await?,
            News::Paged { message, .. } => {
                print(args, &mut transcript, conversation.session(), &message.event).await?;
            }
            News::Closed(closed) => eprintln!("rookery: {closed}; coming back"),
            News::Removed { .. } => bail!("go on: you are no member of the room any more"),
            News::NotOpened { error, .. } => return Err(error).context("open the room"),
            _ => {}
        }
    }
}

async fn print(
    args: &TailArgs,
    transcript: &mut Transcript,
    session: &mut Session,
    event: &Event,
) -> Result<()> {
    let line = transcript.line(session, event).await?;
    args.connection.output.print(event, line)
}
