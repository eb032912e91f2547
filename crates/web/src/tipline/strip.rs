//! What pictures say of where and by whom they were taken, out; and which other files say such things.
//!
//! Pictures are taken apart by their containers alone and never decoded, so that no picture, however large it says it is,
//! costs more than its bytes. Everything else is kept as it came, unopened: no archive is unpacked, no document parsed.

use axum::body::Bytes;
use img_parts::png::Png;
use img_parts::riff::RiffContent;
use img_parts::webp::WebP;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// A picture, without what it said of itself.
    Cleaned,
    /// It came encrypted, and nothing in it was looked at.
    Encrypted,
    /// It is of a kind that says who made it and when, and that is kept.
    Tells,
    /// Another kind.
    Unknown,
}

/// A file as it is kept.
pub(super) fn strip(bytes: &Bytes) -> (Vec<u8>, Kept) {
    if bytes.starts_with(b"age-encryption.org/") || bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") {
        return (bytes.to_vec(), Kept::Encrypted);
    }
    if let Some(cleaned) = jpeg(bytes).or_else(|| png(bytes)).or_else(|| webp(bytes)) {
        return (cleaned, Kept::Cleaned);
    }
    let kept = if tells(bytes) { Kept::Tells } else { Kept::Unknown };
    (bytes.to_vec(), kept)
}

/// Without any segment that an application or a person put in, but for what colours need (a plain APP0, and Adobe's
/// APP14), and without what follows its end, where telephones put films. `img-parts` keeps that.
fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0xff, 0xd8];
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    loop {
        rest = rest.strip_prefix(&[0xff])?;
        while let Some(after) = rest.strip_prefix(&[0xff]) {
            rest = after;
        }
        let (marker, after) = rest.split_first()?;
        match marker {
            0xd9 => return Some([&out[..], &[0xff, 0xd9]].concat()),
            0x01 | 0xd0..=0xd7 => {
                rest = after;
                continue;
            }
            _ => {}
        }
        let length = after.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)))?;
        let (segment, after) = after.split_at_checked(length).filter(|(segment, _)| segment.len() >= 2)?;
        // An APP0 may carry a preview, which shows what was cut away.
        let drawn = !matches!(marker, 0xe1..=0xed | 0xef | 0xfe) && (*marker != 0xe0 || length <= 16);
        if drawn {
            out.extend([&[0xff, *marker], segment].concat());
        }
        rest = after;
        if *marker == 0xda {
            let (scan, after) = rest.split_at_checked(end_of_scan(rest)?)?;
            out.extend_from_slice(scan);
            rest = after;
        }
    }
}

/// Where the next marker stands that is no part of what is drawn.
fn end_of_scan(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| matches!(pair, [0xff, next] if !matches!(next, 0x00 | 0xd0..=0xd7)))
}

/// Only what a picture is drawn from.
fn png(bytes: &Bytes) -> Option<Vec<u8>> {
    let mut picture = Png::from_bytes(bytes.clone()).ok()?;
    let drawn = [*b"IHDR", *b"PLTE", *b"IDAT", *b"IEND", *b"tRNS"];
    picture.chunks_mut().retain(|chunk| drawn.contains(&chunk.kind()));
    Some(picture.encoder().bytes().to_vec())
}

/// Likewise; the flags that say what there is are set right.
fn webp(bytes: &Bytes) -> Option<Vec<u8>> {
    /// Animation and alpha: what stays.
    const STAYS: u8 = 0b0001_0010;
    let mut picture = WebP::from_bytes(bytes.clone()).ok()?;
    let drawn = [*b"VP8X", *b"VP8 ", *b"VP8L", *b"ALPH", *b"ANIM", *b"ANMF"];
    picture.chunks_mut().retain(|chunk| drawn.contains(&chunk.id()));
    for chunk in picture.chunks_mut().iter_mut().filter(|chunk| chunk.id() == *b"VP8X") {
        if let RiffContent::Data(data) = chunk.content_mut() {
            let mut flags = data.to_vec();
            flags.iter_mut().take(1).for_each(|first| *first &= STAYS);
            *data = flags.into();
        }
    }
    Some(picture.encoder().bytes().to_vec())
}

/// Documents, archives of them, other pictures, films and sound: all of them carry names, times or places.
fn tells(bytes: &Bytes) -> bool {
    let begins: [&[u8]; 12] = [
        b"%PDF",
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0",
        b"{\\rtf",
        b"II*\0",
        b"MM\0*",
        b"GIF8",
        b"\xff\xd8",
        b"\x89PNG",
        b"RIFF",
        b"ID3",
        b"OggS",
    ];
    let film = bytes.get(4..8).is_some_and(|kind| kind == b"ftyp");
    film || begins.iter().any(|begin| bytes.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &[u8] = b"Robin Example, 52.5 N 13.4 E";

    fn segment(marker: u8, contents: &[u8]) -> Vec<u8> {
        let length = u16::try_from(contents.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker][..], &length, contents].concat()
    }

    fn chunk(kind: &[u8; 4], contents: &[u8]) -> Vec<u8> {
        img_parts::png::PngChunk::new(*kind, Bytes::copy_from_slice(contents)).encoder().bytes().to_vec()
    }

    fn riff(kind: &[u8], contents: &[u8]) -> Vec<u8> {
        let length = u32::try_from(contents.len()).unwrap();
        let padding: &[u8] = if contents.len() % 2 == 1 { &[0] } else { &[] };
        [kind, &length.to_le_bytes()[..], contents, padding].concat()
    }

    fn holds(bytes: &[u8], text: &[u8]) -> bool {
        bytes.windows(text.len()).any(|window| window == text)
    }

    fn samples() -> [Vec<u8>; 3] {
        let jpeg = [
            &[0xff, 0xd8][..],
            &segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            &segment(0xe1, &[b"Exif\0\0", SECRET].concat()),
            &segment(0xed, SECRET),
            &segment(0xfe, SECRET),
            &segment(0xdb, &[1; 65]),
            &segment(0xc0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]),
            &segment(0xda, &[1, 1, 0, 0, 63, 0]),
            &[0x12, 0xff, 0x00, 0x34],
            // A scan more, and something put between the two.
            &segment(0xfe, SECRET),
            &segment(0xda, &[1, 1, 0, 0, 63, 0]),
            &[0x12, 0x34, 0xff, 0xd9],
            SECRET,
        ];
        let png = [
            &b"\x89PNG\r\n\x1a\n"[..],
            &chunk(b"IHDR", &[0; 13]),
            &chunk(b"tEXt", SECRET),
            &chunk(b"eXIf", SECRET),
            &chunk(b"IDAT", b"drawn"),
            &chunk(b"IEND", b""),
            SECRET,
        ];
        let inside = [
            &b"WEBP"[..],
            &riff(b"VP8X", &[0b0010_1100, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            &riff(b"VP8 ", b"drawn"),
            &riff(b"EXIF", SECRET),
            &riff(b"XMP ", SECRET),
        ];
        [jpeg.concat(), png.concat(), [riff(b"RIFF", &inside.concat()), SECRET.to_vec()].concat()]
    }

    #[test]
    fn a_picture_keeps_what_is_drawn_and_nothing_of_where_and_by_whom() {
        for (sample, drawn) in samples().into_iter().zip([&b"\x12\x34"[..], b"drawn", b"drawn"]) {
            assert!(holds(&sample, SECRET));
            let (bytes, kept) = strip(&sample.clone().into());
            assert_eq!(kept, Kept::Cleaned);
            assert!(!holds(&bytes, SECRET) && holds(&bytes, drawn), "{bytes:?}");
            // It is a picture still, and cleaning it again changes nothing.
            assert_eq!(strip(&bytes.clone().into()), (bytes, Kept::Cleaned));
        }
    }

    #[test]
    fn every_other_file_is_kept_as_it_came() {
        let deep = "<a>".repeat(100_000);
        for (sample, kept) in [
            (&b"%PDF-1.7 by Robin"[..], Kept::Tells),
            (b"PK\x03\x04 a bomb", Kept::Tells),
            (b"\0\0\0\x18ftypheic", Kept::Tells),
            (b"\xff\xd8 cut", Kept::Tells),
            (b"age-encryption.org/v1\n-> X25519", Kept::Encrypted),
            (b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///x'>]>", Kept::Unknown),
            (deep.as_bytes(), Kept::Unknown),
            (b"", Kept::Unknown),
        ] {
            assert_eq!(strip(&Bytes::copy_from_slice(sample)), (sample.to_vec(), kept));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(which in 0..3_usize, place in 0..400_usize, byte in any::<u8>(), end in 0..400_usize) {
            let mut sample = samples()[which].clone();
            let place = place % sample.len();
            sample[place] = byte;
            sample.truncate(end.max(1));
            let length = sample.len();
            let (bytes, _) = strip(&sample.into());
            prop_assert!(bytes.len() <= length + 8);
        }
    }
}
