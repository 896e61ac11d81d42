//! GIF: the frames of a moving picture, and nothing else of its file.
//!
//! Blocks as in the specification of version 89a of 1990, sections 17 to 27.

use super::PictureError;

/// Extensions of applications that say how often a picture moves.
const LOOPS: [&[u8]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];

const IMAGE: u8 = 0x2c;
const EXTENSION: u8 = 0x21;
const TRAILER: u8 = 0x3b;
const CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;
const PLAIN_TEXT: u8 = 0x01;

/// Returns the file with its frames, their timing and its palettes only: without comments, without what
/// applications have put in, without what follows the end. `None` for a picture of a single frame.
///
/// # Errors
/// [`PictureError::Unreadable`]: it breaks off, or is not made of blocks.
pub(super) fn moving(sent: &[u8]) -> Result<Option<Vec<u8>>, PictureError> {
    let mut rest = Blocks(sent);
    let head = rest.take(13)?;
    let mut kept = head.to_vec();
    kept.extend_from_slice(rest.take(palette_bytes(head[10]))?);
    let mut frames = 0_usize;
    // How the next frame is shown; what comes between belongs to nothing.
    let mut control: &[u8] = &[];
    loop {
        match rest.first() {
            Some(IMAGE) => {
                let (before, mut frame) = (rest.0, 10);
                let descriptor = rest.take(10)?;
                frame += palette_bytes(descriptor[9]);
                rest.take(palette_bytes(descriptor[9]))?;
                rest.take(1)?;
                frame += 1 + rest.sub_blocks()?;
                kept.extend_from_slice(std::mem::take(&mut control));
                kept.extend_from_slice(&before[..frame]);
                frames += 1;
            }
            Some(EXTENSION) => {
                let before = rest.0;
                let label = rest.take(2)?[1];
                let block = &before[..2 + rest.sub_blocks()?];
                match label {
                    CONTROL => control = block,
                    APPLICATION if block.get(3..14).is_some_and(|name| LOOPS.contains(&name)) => {
                        kept.extend_from_slice(block);
                    }
                    PLAIN_TEXT => control = &[],
                    _ => {}
                }
            }
            // Some programs forget the end.
            Some(TRAILER) | None => break,
            Some(_) => return Err(broken()),
        }
    }
    kept.push(TRAILER);
    Ok((frames > 1).then_some(kept))
}

/// Returns how long the palette is that the flags of a screen or of a frame announce.
const fn palette_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn broken() -> PictureError {
    PictureError::Unreadable("it breaks off".to_owned())
}

/// What is left of the file.
struct Blocks<'a>(&'a [u8]);

impl<'a> Blocks<'a> {
    fn first(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], PictureError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or_else(broken)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Passes sub-blocks up to the empty one, and returns how many bytes they are with their lengths.
    fn sub_blocks(&mut self) -> Result<usize, PictureError> {
        let mut passed = 0;
        loop {
            let length = usize::from(self.take(1)?[0]);
            self.take(length)?;
            passed += 1 + length;
            if length == 0 {
                return Ok(passed);
            }
        }
    }
}
