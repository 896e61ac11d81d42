//! A server that does as it is told: it takes whoever comes, opens its room, says the steps of that connection, and
//! acks and tells back what is sent.

use crate::wire::stamp::Stamp;
use crate::worker::order::WireCodec;
use rookery_protocol::{
    ClientId, Codec, Command, Event, EventBody, Frame, Incoming, MessageBody, Op, RoomId, Seq, Timestamp,
    UserId, websocket_frame,
};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use uuid::Uuid;

pub(super) const ROOM: Uuid = Uuid::from_u128(0x019a_a100_ff80_7f00_8000_0000_0000_0007);

/// What a connection is told once its room is open.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Event {
        seq: u64,
        number: u64,
    },
    /// With one letter of the text changed.
    Damaged {
        seq: u64,
        number: u64,
    },
    /// In two writes.
    Piecewise {
        seq: u64,
        number: u64,
    },
    Ping,
    Close(u16),
    /// The room is open from there instead.
    Reset {
        from: u64,
    },
    /// The first message is answered with `busy`.
    RefuseOnce,
}

pub(super) fn event(seq: u64, number: u64) -> Step {
    Step::Event { seq, number }
}

/// What was heard so far, and the news of more.
#[derive(Debug, Default)]
struct Heard {
    all: Mutex<Vec<String>>,
    more: Condvar,
}

/// See the file's description. Its threads end with their connections.
#[derive(Debug)]
pub(super) struct Fake {
    pub(super) address: SocketAddrV4,
    heard: Arc<Heard>,
}

impl Fake {
    /// Takes as many connections as there are lists of steps, one after another.
    pub(super) fn start(codec: WireCodec, steps: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let SocketAddr::V4(address) = listener.local_addr().unwrap() else { panic!("an IPv4 address") };
        let heard: Arc<Heard> = Arc::default();
        let noted = Arc::clone(&heard);
        std::thread::spawn(move || {
            for steps in steps {
                let (stream, _) = listener.accept().unwrap();
                let peer = Peer { stream, codec: codec.into(), heard: Arc::clone(&noted), steps, head: 0 };
                std::thread::spawn(|| peer.serve());
            }
        });
        Self { address, heard }
    }

    /// Returns how often it heard this.
    pub(super) fn heard(&self, what: &str) -> usize {
        self.heard.all.lock().unwrap().iter().filter(|heard| *heard == what).count()
    }

    /// Waits until it has heard this, which may still be on its way.
    pub(super) fn wait_to_hear(&self, what: &str) {
        let all = self.heard.all.lock().unwrap();
        let not_yet = |all: &mut Vec<String>| !all.iter().any(|heard| heard == what);
        let (_all, waited) =
            self.heard.more.wait_timeout_while(all, Duration::from_secs(10), not_yet).unwrap();
        assert!(!waited.timed_out(), "never heard: {what}");
    }
}

struct Peer {
    stream: TcpStream,
    codec: Codec,
    heard: Arc<Heard>,
    steps: Vec<Step>,
    head: u64,
}

impl Peer {
    fn serve(mut self) {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if self.stream.read_exact(&mut byte).is_err() {
                return;
            }
            request.push(byte[0]);
        }
        self.stream
            .write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            )
            .unwrap();
        // The client is gone when reading or writing fails.
        while let Some((opcode, payload)) = self.read() {
            if opcode == 0x8a {
                self.note("pong");
                continue;
            }
            let Incoming { commands } = self.codec.decode_commands(&payload).unwrap();
            for command in commands {
                if self.answer(command.unwrap()).is_err() {
                    return;
                }
            }
        }
    }

    fn note(&self, what: impl Into<String>) {
        self.heard.all.lock().unwrap().push(what.into());
        self.heard.more.notify_all();
    }

    /// Reads one frame of the client, which is short, and takes the mask off.
    fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut header = [0; 2];
        self.stream.read_exact(&mut header).ok()?;
        assert_eq!(header[1] & 0x80, 0x80, "a client masks");
        let length = match header[1] & 0x7f {
            126 => {
                let mut length = [0; 2];
                self.stream.read_exact(&mut length).ok()?;
                u16::from_be_bytes(length).into()
            }
            short => usize::from(short),
        };
        let mut mask = [0; 4];
        self.stream.read_exact(&mut mask).ok()?;
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Some((header[0], payload))
    }

    fn answer(&mut self, command: Command) -> std::io::Result<()> {
        let id = command.id;
        match command.op {
            Op::Auth(auth) => {
                assert_eq!(auth.token, "token");
                self.say(&json!({"id": id, "ok": {}}))
            }
            Op::RoomOpen(open) => {
                if let Some(Seq(after)) = open.after {
                    self.note(format!("after {after}"));
                }
                let reset = self.steps.iter().find_map(|step| match step {
                    Step::Reset { from } => Some(*from),
                    _ => None,
                });
                let status = if reset.is_some() { "reset" } else { "replayed" };
                let from = reset.unwrap_or(open.after.map_or(1, |Seq(after)| after + 1));
                self.say(&json!({"id": id, "ok": {"status": status, "from": from}}))?;
                self.steps.clone().iter().try_for_each(|step| self.step(step))
            }
            Op::MessageSend(send) => {
                if let Some(attempt) = send.attempt {
                    self.note(format!("attempt {attempt}"));
                }
                if let Some(at) = self.steps.iter().position(|step| matches!(step, Step::RefuseOnce)) {
                    self.steps.remove(at);
                    let busy = json!({"code": "busy", "message": "", "retryable": true, "retry_after_ms": 5});
                    return self.say(&json!({"id": id, "err": busy}));
                }
                self.head += 1;
                self.say(&json!({"id": id, "ok": {"seq": self.head, "ord": self.head, "at": 0}}))?;
                let frame = frame(self.codec, self.head, send.body);
                self.stream.write_all(&frame)
            }
            _ => Ok(()),
        }
    }

    fn say(&mut self, value: &serde_json::Value) -> std::io::Result<()> {
        let payload = self.codec.encode(value).unwrap();
        self.stream.write_all(&websocket_frame(self.codec, &payload))
    }

    fn step(&mut self, step: &Step) -> std::io::Result<()> {
        let text = |number: u64| {
            // The same message has the same text for everybody.
            Stamp { sender: 0, number: u32::try_from(number).unwrap(), due: number }.text(100).0
        };
        match *step {
            Step::Event { seq, number } => {
                let frame = frame(self.codec, seq, MessageBody::text(text(number)));
                self.stream.write_all(&frame)
            }
            Step::Damaged { seq, number } => {
                let mut text = text(number);
                text.replace_range(60..61, "!");
                let frame = frame(self.codec, seq, MessageBody::text(text));
                self.stream.write_all(&frame)
            }
            Step::Piecewise { seq, number } => {
                let frame = frame(self.codec, seq, MessageBody::text(text(number)));
                let (first, second) = frame.split_at(50);
                self.stream.set_nodelay(true)?;
                self.stream.write_all(first)?;
                self.stream.write_all(second)
            }
            Step::Ping => self.stream.write_all(&[0x89, 2, b'h', b'i']),
            Step::Close(code) => {
                self.stream.write_all(&[0x88, 2])?;
                self.stream.write_all(&code.to_be_bytes())
            }
            Step::Reset { .. } | Step::RefuseOnce => Ok(()),
        }
    }
}

fn frame(codec: Codec, seq: u64, body: MessageBody) -> bytes::Bytes {
    let event = Event {
        room: RoomId(ROOM),
        seq: Seq(seq),
        ord: seq,
        at: Timestamp(0),
        by: UserId(ROOM),
        client_id: Some(ClientId(ROOM)),
        target: None,
        reply_to: None,
        body: EventBody::Message(body),
    };
    Frame::event(event).bytes(codec)
}
