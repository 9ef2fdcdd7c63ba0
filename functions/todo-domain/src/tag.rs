//! Tags: short labels, kept as written and compared without regard to case.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::invalid::quoted;
use crate::{Invalid, TAG_LIMIT, TAGS_LIMIT};

/// A label such as `work`. `Work` and `work` are the same tag; the first spelling on a task stays.
#[derive(Clone, Debug)]
pub struct Tag(String);

impl Tag {
    /// Reads one tag: trimmed, without a leading `#`, 1–50 characters, no control characters or commas.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        let name = text.trim();
        let name = name.strip_prefix('#').unwrap_or(name).trim_start();
        if name.is_empty() {
            return Err(Invalid::new(field, "a tag is empty", "Send a word such as \"work\"."));
        }
        if name.chars().count() > TAG_LIMIT {
            let hint = format!("A tag has at most {TAG_LIMIT} characters.");
            return Err(Invalid::new(field, format!("the tag {} is too long", quoted(name)), hint));
        }
        if name.chars().any(|c| c.is_control() || c == ',') {
            let hint = "Send each tag as its own array element: [\"work\", \"home\"].";
            return Err(Invalid::new(
                field,
                format!("the tag {} has a comma or line break", quoted(name)),
                hint,
            ));
        }
        Ok(Self(name.to_owned()))
    }

    /// Reads a list of tags, dropping repetitions; at most 20.
    pub fn parse_all(field: &str, texts: &[String]) -> Result<Vec<Self>, Invalid> {
        let mut tags: Vec<Self> = Vec::with_capacity(texts.len());
        for text in texts {
            let tag = Self::parse(field, text)?;
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        if tags.len() > TAGS_LIMIT {
            let problem = format!("{} tags are too many", tags.len());
            return Err(Invalid::new(field, problem, format!("Send at most {TAGS_LIMIT}.")));
        }
        Ok(tags)
    }

    /// The tag as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of the same tag share: lower case. The store's index holds this.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Tag {}

impl Hash for Tag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
