//! As much of PromQL as tells what a query asks for: series with their matchers, and the labels by which it groups. Prometheus itself reads the rest.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::vec::IntoIter;

/// A series that a query names.
#[derive(Debug, PartialEq, Eq)]
pub struct Selector {
    pub name: String,
    /// Label and value; of a value that is an expression, each alternative.
    pub matchers: Vec<(String, String)>,
}

/// What a query asks for.
#[derive(Debug, Default)]
pub struct Query {
    pub selectors: Vec<Selector>,
    /// Labels by which it groups or joins.
    pub grouped: BTreeSet<String>,
    /// Texts outside of matchers: labels that a function makes are among them.
    pub texts: BTreeSet<String>,
}

const GROUPING: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const OPERATORS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

impl Query {
    pub fn read(text: &str) -> Self {
        let mut query = Self::default();
        let mut tokens = tokens(text).into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                Token::Word(word) if GROUPING.contains(&&*word) => query.group(&mut tokens),
                Token::Word(word) if OPERATORS.contains(&&*word) => {}
                Token::Word(word) => query.name(word, &mut tokens),
                Token::Text(text) => query.texts.extend([text]),
                Token::Sign(_) => {}
            }
        }
        query
    }

    fn group(&mut self, tokens: &mut Peekable<IntoIter<Token>>) {
        if tokens.next_if_eq(&Token::Sign('(')).is_none() {
            return;
        }
        let within = tokens.take_while(|token| *token != Token::Sign(')'));
        self.grouped.extend(within.filter_map(|token| match token {
            Token::Word(label) => Some(label),
            _ => None,
        }));
    }

    /// A function is followed by its arguments, an aggregation by them or by its grouping; anything else is a series.
    fn name(&mut self, name: String, tokens: &mut Peekable<IntoIter<Token>>) {
        let matchers = match tokens.peek() {
            Some(Token::Sign('(')) => return,
            Some(Token::Word(next)) if GROUPING.contains(&&**next) && !name.contains('_') => return,
            Some(Token::Sign('{')) => matchers(tokens),
            _ => Vec::new(),
        };
        self.selectors.push(Selector { name, matchers });
    }
}

fn matchers(tokens: &mut Peekable<IntoIter<Token>>) -> Vec<(String, String)> {
    let (mut label, mut matchers) = (String::new(), Vec::new());
    for token in tokens.take_while(|token| *token != Token::Sign('}')) {
        match token {
            Token::Word(word) => label = word,
            Token::Text(text) => {
                matchers.extend(text.split('|').map(|value| (label.clone(), value.to_owned())));
            }
            Token::Sign(_) => {}
        }
    }
    matchers
}

/// Without numbers, durations and Grafana's variables.
fn tokens(text: &str) -> Vec<Token> {
    let (mut tokens, mut rest) = (Vec::new(), text);
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => 2 + rest.chars().skip(1).take_while(|c| *c != '"').count(),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            '$' => 1 + rest.chars().skip(1).take_while(|c| in_word(*c)).count(),
            c if in_word(c) => rest.chars().take_while(|c| in_word(*c)).count(),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        match first {
            '"' => tokens.push(Token::Text(token.trim_matches('"').to_owned())),
            '[' | '$' | '0'..='9' => {}
            c if in_word(c) => tokens.push(Token::Word(token.to_owned())),
            c if c.is_whitespace() => {}
            c => tokens.push(Token::Sign(c)),
        }
        rest = after;
    }
    tokens
}

#[test]
fn a_query_is_read_for_what_it_asks() {
    let query = Query::read(
        "1e6 * sum by (a, b) (rate(m_total{x=\"1|2\", n=~\"$v\"}[$__rate_interval])) / on (c) group_left () r:s > 0 or label_replace(k, \"made\", \"$1\", \"b\", \"(.+)\")",
    );
    let pair = |label: &str, value: &str| (label.to_owned(), value.to_owned());
    let expected = [
        ("m_total", vec![pair("x", "1"), pair("x", "2"), pair("n", "$v")]),
        ("r:s", Vec::new()),
        ("k", Vec::new()),
    ];
    let expected = expected.map(|(name, matchers)| Selector { name: name.to_owned(), matchers });
    assert_eq!(query.selectors, expected);
    assert_eq!(query.grouped, ["a", "b", "c"].map(str::to_owned).into());
    assert!(query.texts.contains("made"));
}
