//! Files made byte by byte: the harness decodes nothing, and needs no library to make what is decoded.

/// Returns a PNG of one colour per pixel, its pixels not compressed (W3C PNG, sections 5 and 10).
pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let line = |y: u32| (0..width).flat_map(move |x| [x, y, x ^ y].map(low)).collect::<Vec<_>>();
    let lines: Vec<u8> = (0..height).flat_map(|y| [vec![0], line(y)].concat()).collect();
    [head(width, height, 2), chunk(b"IDAT", &stored(&lines)), chunk(b"IEND", &[])].concat()
}

/// Returns a PNG with words beside its picture: in a chunk of text and behind its end.
pub(super) fn png_with_words(words: &[u8]) -> Vec<u8> {
    let whole = png(40, 30);
    let (head, rest) = whole.split_at(33);
    [head, &chunk(b"tEXt", &[b"Comment\0", words].concat()), rest, words].concat()
}

/// Returns a PNG of `side` times `side` black pixels, as small as deflate makes it.
pub(super) fn bomb(side: u32) -> Vec<u8> {
    let bytes = u64::from(side) * (u64::from(side) + 1);
    [head(side, side, 0), chunk(b"IDAT", &zeros(bytes)), chunk(b"IEND", &[])].concat()
}

fn low(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

fn head(width: u32, height: u32, colour: u8) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, colour, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header)].concat()
}

fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let named = [name, content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[..], &named, &crc(&named).to_be_bytes()].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// Returns bytes as a zlib stream of blocks that are stored (RFC 1950; RFC 1951, section 3.2.4).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let blocks: Vec<_> = bytes.chunks(65_535).collect();
    for (index, block) in blocks.iter().enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        stream.push(u8::from(index + 1 == blocks.len()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(*block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend(((b << 16) | a).to_be_bytes());
    stream
}

/// Returns a zlib stream of `count` zeros, each 258 of them in 13 bits (RFC 1951, section 3.2.6).
fn zeros(count: u64) -> Vec<u8> {
    let mut bits = Bits { stream: vec![0x78, 0x01], held: 0, count: 0 };
    bits.push(0b011, 3);
    let literals = 1 + (count - 1) % 258;
    for _ in 0..literals {
        // The literal 0 is 0x30, in eight bits, the first one first.
        bits.push(0b0000_1100, 8);
    }
    for _ in 0..(count - literals) / 258 {
        // Length 258 is code 285, 1100_0101; distance 1 is code 0.
        bits.push(0b1010_0011, 8);
        bits.push(0, 5);
    }
    // The end is code 256: seven zeros; more of them fill the last byte.
    bits.push(0, 7);
    bits.push(0, 7);
    bits.stream.extend((((count % 65_521) << 16) | 1).to_be_bytes()[4..].iter());
    bits.stream
}

struct Bits {
    stream: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    /// Adds the lowest `count` bits of `bits`, the lowest first.
    fn push(&mut self, bits: u32, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
        while self.count >= 8 {
            self.stream.push(low(self.held));
            self.held >>= 8;
            self.count -= 8;
        }
    }
}
