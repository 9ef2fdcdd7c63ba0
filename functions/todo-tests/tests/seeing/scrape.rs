//! The page for Prometheus of a running system.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use todo_tests::World;

use crate::PATIENCE;

/// The page for Prometheus, parsed: the type of each metric, and the value of each sample.
pub struct Scrape {
    pub types: BTreeMap<String, String>,
    pub samples: BTreeMap<String, f64>,
}

impl Scrape {
    pub async fn of(world: &World) -> Self {
        let page = reqwest::get(format!("{}/metrics", world.url())).await.unwrap();
        let kind = page.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        let page = page.text().await.unwrap();
        assert!(page.ends_with("# EOF\n"), "{page}");
        let mut scrape = Self { types: BTreeMap::new(), samples: BTreeMap::new() };
        for line in page.lines() {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
                assert!(scrape.types.insert(name, kind.to_owned()).is_none(), "twice: {line}");
            } else if !line.starts_with('#') {
                let (sample, value) = line.rsplit_once(' ').unwrap();
                assert!(
                    scrape.samples.insert(sample.to_owned(), value.parse().unwrap()).is_none(),
                    "twice: {line}"
                );
            }
        }
        scrape
    }

    /// The sample of this name and these labels.
    pub fn value(&self, sample: &str) -> f64 {
        *self.samples.get(sample).unwrap_or_else(|| panic!("no {sample} in {:#?}", self.samples))
    }

    /// Scrapes until something is so.
    pub async fn until(world: &World, what: &str, is_so: impl Fn(&Self) -> bool) -> Self {
        let began = Instant::now();
        loop {
            let scrape = Self::of(world).await;
            if is_so(&scrape) {
                return scrape;
            }
            assert!(began.elapsed() < PATIENCE, "not until now: {what}; {:#?}", scrape.samples);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
