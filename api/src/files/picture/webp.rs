//! WebP: what a file holds, and the frames of a moving picture without the rest.
//!
//! Chunks as in RFC 9649, section 2.

use super::PictureError;

/// The flag of a file whose pictures move.
const MOVES: u8 = 0x02;

/// The flags of what is left out: colour profile, Exif and XMP.
const LEFT_OUT: u8 = 0x20 | 0x08 | 0x04;

/// Bytes before the chunks of a frame: where it is and how long it is shown.
const FRAME_HEAD: usize = 16;

/// What a file holds.
#[derive(Debug)]
pub(super) enum Look {
    /// One picture, with losses.
    Lossy,
    /// One picture, exact.
    Lossless,
    /// A moving picture: the file with its frames and their timing only.
    Moving(Vec<u8>),
}

type Chunk<'a> = (&'a [u8], &'a [u8]);

/// Looks into a file.
///
/// # Errors
/// [`PictureError::Unreadable`]: it breaks off, or is not made of chunks.
pub(super) fn look(sent: &[u8]) -> Result<Look, PictureError> {
    let chunks = chunks(sent.get(12..riff_end(sent)?).ok_or_else(broken)?)?;
    let moves = chunks
        .first()
        .is_some_and(|(name, content)| *name == b"VP8X" && content.len() >= 10 && content[0] & MOVES != 0);
    if !moves {
        let is_exact = chunks.iter().any(|(name, _)| *name == b"VP8L");
        return Ok(if is_exact { Look::Lossless } else { Look::Lossy });
    }
    let mut kept = b"RIFF\0\0\0\0WEBP".to_vec();
    for (name, content) in chunks {
        match name {
            b"VP8X" => {
                let mut head = content[..10.min(content.len())].to_vec();
                if let Some(flags) = head.first_mut() {
                    *flags &= !LEFT_OUT;
                }
                push(&mut kept, name, &head);
            }
            b"ANIM" => push(&mut kept, name, &content[..6.min(content.len())]),
            b"ANMF" => push(&mut kept, name, &frame(content)?),
            _ => {}
        }
    }
    let length = u32::try_from(kept.len() - 8).map_err(|_| broken())?;
    kept[4..8].copy_from_slice(&length.to_le_bytes());
    Ok(Look::Moving(kept))
}

/// Returns a frame without what is not picture.
fn frame(content: &[u8]) -> Result<Vec<u8>, PictureError> {
    let (head, rest) = content.split_at_checked(FRAME_HEAD).ok_or_else(broken)?;
    let mut kept = head.to_vec();
    for (name, content) in chunks(rest)? {
        if matches!(name, b"ALPH" | b"VP8 " | b"VP8L") {
            push(&mut kept, name, content);
        }
    }
    Ok(kept)
}

/// Returns where the container ends, which may be before the file does.
fn riff_end(sent: &[u8]) -> Result<usize, PictureError> {
    let length = sent.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    let length = length.and_then(|length| usize::try_from(length).ok()).ok_or_else(broken)?;
    Ok(length.saturating_add(8).min(sent.len()))
}

fn chunks(mut rest: &[u8]) -> Result<Vec<Chunk<'_>>, PictureError> {
    let mut chunks = Vec::new();
    while rest.len() >= 8 {
        let (head, after) = rest.split_at(8);
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let length = usize::try_from(length).map_err(|_| broken())?;
        let (content, after) = after.split_at_checked(length).ok_or_else(broken)?;
        chunks.push((&head[..4], content));
        rest = after.get(length % 2..).unwrap_or_default();
    }
    Ok(chunks)
}

fn push(kept: &mut Vec<u8>, name: &[u8], content: &[u8]) {
    kept.extend_from_slice(name);
    // It was cut out of a chunk, so its length fits.
    kept.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    kept.extend_from_slice(content);
    if content.len() % 2 == 1 {
        kept.push(0);
    }
}

fn broken() -> PictureError {
    PictureError::Unreadable("it breaks off".to_owned())
}
