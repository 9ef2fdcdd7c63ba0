//! Words with their places, so that a title can be cut out of a message exactly as it was written.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters and digits, with what stands between them (`15:00`, `don't`, `#home`).
    Word,
    /// One punctuation mark.
    Mark,
    /// A quoted phrase: one token, never looked into.
    Quoted,
    /// A line break.
    Break,
}

/// A piece of the message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    /// Byte offsets into the message, the quotes included.
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
    /// Lower case, typographic apostrophes made plain; without the quotes when quoted.
    pub low: String,
}

impl Token {
    pub fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }

    pub fn is_quoted(&self) -> bool {
        self.kind == Kind::Quoted
    }

    /// A word or mark with exactly this text; a quoted phrase is never a command word.
    pub fn is(&self, low: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.low == low
    }

    pub fn is_any(&self, words: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && among(&self.low, words)
    }
}

/// A message is read up to so many words: nobody orders tasks at such length, and the time to read stays small.
const LONGEST: usize = 300;

/// Splits a message. Never fails; unknown characters are part of words.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if found.len() >= LONGEST {
            break;
        }
        at = if next == '\n' {
            push(&mut found, text, at, at + 1, Kind::Break)
        } else if next.is_whitespace() || next.is_control() {
            at + next.len_utf8()
        } else if let Some(end) = quote_end(text, at, next) {
            push(&mut found, text, at, end, Kind::Quoted)
        } else {
            chunk(&mut found, text, at)
        };
    }
    found
}

fn push(found: &mut Vec<Token>, text: &str, start: usize, end: usize, kind: Kind) -> usize {
    let raw = text.get(start..end).unwrap_or_default();
    let inner = if kind == Kind::Quoted { strip_quotes(raw) } else { raw };
    let low = inner.to_lowercase().replace(['’', '‘', '`'], "'");
    found.push(Token { start, end, kind, low });
    end
}

/// The text without its quotation marks.
pub(crate) fn strip_quotes(raw: &str) -> &str {
    let mut inner = raw.chars();
    inner.next();
    inner.next_back();
    inner.as_str().trim()
}

fn closing(open: char) -> Option<char> {
    match open {
        '"' => Some('"'),
        '“' | '„' => Some('”'),
        '‘' => Some('’'),
        '«' => Some('»'),
        '\'' => Some('\''),
        '`' => Some('`'),
        _ => None,
    }
}

/// Where the quoted phrase that opens here ends; none when it is only an apostrophe.
fn quote_end(text: &str, at: usize, open: char) -> Option<usize> {
    let close = closing(open)?;
    let from = at + open.len_utf8();
    let rest = text.get(from..)?;
    for (offset, found) in rest.match_indices(|c: char| c == close || (open == '„' && c == '“')) {
        let end = from + offset + found.len();
        let next = text.get(end..).and_then(|after| after.chars().next());
        if offset > 0 && !next.is_some_and(char::is_alphanumeric) {
            return Some(end);
        }
    }
    None
}

/// One run without blanks: marks around it become tokens of their own.
fn chunk(found: &mut Vec<Token>, text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let whole = rest.get(..length).unwrap_or_default();
    let first = whole.chars().next().unwrap_or(' ');
    if is_mark(first) && !opens_word(whole, first) {
        return push(found, text, at, at + first.len_utf8(), Kind::Mark);
    }
    let mut end = inner_break(whole);
    while let Some(last) = whole.get(..end).and_then(|part| part.chars().next_back()) {
        if !is_mark(last) || end == last.len_utf8() {
            break;
        }
        end -= last.len_utf8();
    }
    push(found, text, at, at + end, Kind::Word)
}

/// `#home`, `@work`, `-5`, `$20`: the mark belongs to the word.
fn opens_word(whole: &str, first: char) -> bool {
    let next = whole.chars().nth(1);
    matches!(first, '#' | '@' | '$' | '+' | '£' | '€') && next.is_some_and(char::is_alphanumeric)
}

/// A comma, semicolon or quotation mark inside ends the word, unless digits stand on both sides ("1,000").
fn inner_break(whole: &str) -> usize {
    let mut before = ' ';
    for (offset, c) in whole.char_indices() {
        let after = whole.get(offset + c.len_utf8()..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
        let number = before.is_ascii_digit() && after.is_ascii_digit();
        if offset > 0 && (matches!(c, ';' | '"' | '“' | '”' | '—' | '…' | '(' | ')') || (c == ',' && !number))
        {
            return offset;
        }
        before = c;
    }
    whole.len()
}

fn is_mark(c: char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '%' | '_' | '&')
        || matches!(
            c,
            '“' | '”'
                | '‘'
                | '’'
                | '„'
                | '«'
                | '»'
                | '…'
                | '—'
                | '–'
                | '•'
                | '¿'
                | '¡'
                | '。'
                | '、'
        )
}

/// Whether a word is one of those in a list written "one|two|three". Asked for each word many times, so by bytes.
pub(crate) fn among(word: &str, words: &str) -> bool {
    let (word, mut rest) = (word.as_bytes(), words.as_bytes());
    loop {
        match rest.strip_prefix(word) {
            Some([] | [b'|', ..]) => return true,
            _ => match rest.iter().position(|byte| *byte == b'|').and_then(|bar| rest.get(bar + 1..)) {
                Some(next) => rest = next,
                None => return false,
            },
        }
    }
}
