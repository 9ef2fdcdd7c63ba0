//! Trains the intent weights and writes them over `src/intent/weights.bin`.
//!
//! `cargo run --release -p todo-language --example train -- <out> <utterances.jsonl>…`
//!
//! The files must be CC BY (CLINC150, HWU64 train splits); our own sentences are `training/seeds.tsv`. The result is the
//! same each time: no randomness but a fixed shuffle.

use std::error::Error;

use todo_language::classifier::{BUCKETS, CLASSES, SCALE, features, scale, softmax};

const EPOCHS: usize = 10;
const RATE: f32 = 1.5;
const DECAY: f32 = 1e-4;
/// Our own sentences count this often: there are few.
const SEEDS: usize = 4;

type Weights = Vec<[f32; CLASSES.len()]>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1);
    let out = paths.next().ok_or("usage: train <out> <utterances.jsonl>…")?;
    let mut examples = seeds();
    for path in paths {
        examples.extend(utterances(&std::fs::read_to_string(path)?)?);
    }
    let examples: Vec<(Vec<usize>, usize)> =
        examples.iter().map(|(text, class)| (features(text), *class)).collect();
    let weights = train(&examples);
    std::fs::write(out, quantised(&weights))?;
    let right =
        examples.iter().filter(|(features, class)| best(&scores(&weights, features)) == *class).count();
    println!("{} examples, {:.2} % fitted", examples.len(), 100.0 * right as f32 / examples.len() as f32);
    Ok(())
}

fn class(label: &str) -> Option<usize> {
    CLASSES.iter().position(|class| *class == label)
}

fn seeds() -> Vec<(String, usize)> {
    let lines = include_str!("../training/seeds.tsv").lines();
    let once: Vec<(String, usize)> = lines
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(label, text)| Some((text.to_owned(), class(label)?)))
        .collect();
    std::iter::repeat_n(once, SEEDS).flatten().collect()
}

/// Utterances with exactly one right tool, or none.
fn utterances(lines: &str) -> Result<Vec<(String, usize)>, Box<dyn Error>> {
    let mut found = Vec::new();
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line)?;
        let text = value["utterance"].as_str().ok_or("a line without an utterance")?;
        let label = value["suggested_tool"].as_str().unwrap_or("none");
        found.extend(class(label).map(|class| (text.to_owned(), class)));
    }
    Ok(found)
}

/// Multinomial logistic regression by stochastic gradient descent.
fn train(examples: &[(Vec<usize>, usize)]) -> Weights {
    let mut weights: Weights = vec![[0.0; CLASSES.len()]; BUCKETS];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut seed: u64 = 1;
    for epoch in 0..EPOCHS {
        shuffle(&mut order, &mut seed);
        let rate = RATE / (1.0 + epoch as f32 * 0.3);
        for index in &order {
            let (features, class) = &examples[*index];
            step(&mut weights, features, *class, rate);
        }
    }
    weights
}

fn step(weights: &mut Weights, features: &[usize], class: usize, rate: f32) {
    let chances = softmax(scores(weights, features));
    let norm = scale(features.len());
    for feature in features {
        for (index, weight) in weights[*feature].iter_mut().enumerate() {
            let error = f32::from(u8::from(index == class)) - chances[index];
            *weight += rate * (error * norm - DECAY * *weight);
        }
    }
}

fn scores(weights: &Weights, features: &[usize]) -> [f32; CLASSES.len()] {
    let mut scores = [0.0; CLASSES.len()];
    for feature in features {
        for (score, weight) in scores.iter_mut().zip(weights[*feature]) {
            *score += weight * scale(features.len());
        }
    }
    scores
}

fn best(scores: &[f32; CLASSES.len()]) -> usize {
    (0..scores.len()).max_by(|one, other| scores[*one].total_cmp(&scores[*other])).unwrap_or(0)
}

fn quantised(weights: &Weights) -> Vec<u8> {
    let classes = 0..CLASSES.len();
    classes
        .flat_map(|class| {
            weights.iter().map(move |row| (row[class] * SCALE).round().clamp(-127.0, 127.0) as i8 as u8)
        })
        .collect()
}

/// Fisher–Yates with a linear congruential generator.
fn shuffle(order: &mut [usize], seed: &mut u64) {
    for at in (1..order.len()).rev() {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (*seed >> 33) as usize % (at + 1));
    }
}
