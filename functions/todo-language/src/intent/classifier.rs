//! A linear classifier over hashed word and letter n-grams.
//!
//! The weights are one file of signed bytes, [`CLASSES`] × [`BUCKETS`], made by `examples/train.rs`; where they come
//! from is written in `docs/specs/language.md`.

/// What a sentence can be, in the order of the weights.
pub const CLASSES: [&str; 6] =
    ["add_task", "list_tasks", "complete_task", "delete_task", "update_task", "none"];

/// Hashed features; a power of two.
pub const BUCKETS: usize = 1 << 14;

/// The file's weights are real weights times this, so that a byte holds them.
pub const SCALE: f32 = 16.0;

static WEIGHTS: &[u8] = include_bytes!("weights.bin");

/// The probability of each class.
pub fn probabilities(text: &str) -> [f32; CLASSES.len()] {
    let features = features(text);
    let norm = scale(features.len());
    let mut scores = [0.0; CLASSES.len()];
    for (class, score) in scores.iter_mut().enumerate() {
        let sum: i32 = features.iter().map(|feature| weight(class, *feature)).sum();
        *score = norm * sum as f32 / SCALE;
    }
    softmax(scores)
}

fn weight(class: usize, feature: usize) -> i32 {
    WEIGHTS.get(class * BUCKETS + feature).map_or(0, |byte| i32::from(byte.cast_signed()))
}

/// Keeps long sentences from shouting.
pub fn scale(features: usize) -> f32 {
    1.0 / (features.max(1) as f32).sqrt()
}

/// Scores → probabilities.
pub fn softmax(scores: [f32; CLASSES.len()]) -> [f32; CLASSES.len()] {
    let highest = scores.iter().copied().fold(f32::MIN, f32::max);
    let powers = scores.map(|score| (score - highest).exp());
    let sum: f32 = powers.iter().sum();
    powers.map(|power| power / sum)
}

/// The buckets of a sentence: words, pairs of words, the first words, and four letters in a row.
pub fn features(text: &str) -> Vec<usize> {
    let words = words(text);
    let mut found = vec![bucket(&["bias"])];
    for (at, word) in words.iter().enumerate() {
        found.push(bucket(&["1", word]));
        let next = words.get(at + 1).map_or("$", String::as_str);
        found.push(bucket(&["2", word, next]));
        if at < 3 {
            found.push(bucket(&["^", &at.to_string(), word]));
        }
        let letters: Vec<char> = format!("<{word}>").chars().collect();
        found.extend(letters.windows(4).map(|four| bucket(&["c", &four.iter().collect::<String>()])));
    }
    if let [first, second, ..] = words.as_slice() {
        found.push(bucket(&["^2", first, second]));
    }
    found
}

/// Lower-case words of at most 40; numbers are all alike.
fn words(text: &str) -> Vec<String> {
    let low = text.to_lowercase().replace('’', "'");
    let split =
        low.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty()).take(40);
    split
        .map(
            |word| {
                if word.starts_with(|c: char| c.is_ascii_digit()) { "0".to_owned() } else { word.to_owned() }
            },
        )
        .collect()
}

/// FNV-1a over the parts.
fn bucket(parts: &[&str]) -> usize {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ (hash >> 32)) as usize & (BUCKETS - 1)
}
