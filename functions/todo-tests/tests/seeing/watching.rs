//! What watches the system asks for nothing but what the system tells: rules and dashboards beside `/metrics` of a running one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::queries::{Query, Selector};
use crate::scrape::Scrape;
use crate::{built, documented, happened, read, root};

pub const FOLDER: &str = "charts/todo/observability";

/// Labels that a scrape adds: prometheus.yaml, kubernetes.yaml and the chart's PodMonitor.
const OF_TARGETS: [&str; 6] = ["job", "instance", "namespace", "pod", "app", "revision"];

/// What others tell: Prometheus itself, and exporters that docs/specs/observability.md names.
const OF_OTHERS: [(&str, &[&str]); 2] =
    [("up", &[]), ("kafka_consumergroup_lag", &["consumergroup", "topic", "partition"])];

/// A rule, with its place for messages.
pub struct Rule {
    pub name: String,
    pub query: String,
    pub is_alert: bool,
    pub definition: Value,
}

pub fn rules() -> Vec<Rule> {
    let file: Value = serde_saphyr::from_str(&read(&format!("{FOLDER}/prometheus/rules.yaml"))).unwrap();
    let groups = file["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    let rule = |definition: &Value| {
        let is_alert = definition["alert"].is_string();
        let name = definition[if is_alert { "alert" } else { "record" }].as_str().unwrap().to_owned();
        Rule {
            name,
            query: definition["expr"].as_str().unwrap().to_owned(),
            is_alert,
            definition: definition.clone(),
        }
    };
    rules.map(rule).collect()
}

/// The dashboards by their file.
fn dashboards() -> Vec<(String, Value)> {
    let folder = root(&format!("{FOLDER}/grafana/dashboards"));
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().into_owned();
    files
        .iter()
        .map(|file| (name(file), serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()))
        .collect()
}

/// A query of a dashboard: where it stands, what it asks whom, and the labels that its legend shows.
struct Asked {
    place: String,
    of: String,
    query: String,
    shown: Vec<String>,
}

fn asked() -> Vec<Asked> {
    let mut asked = Vec::new();
    for (file, dashboard) in dashboards() {
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let legend = target["legendFormat"].as_str().unwrap_or_default();
                let shown =
                    legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap().to_owned());
                asked.push(Asked {
                    place: format!("{file}: {}", panel["title"]),
                    of: target["datasource"]["type"].as_str().unwrap().to_owned(),
                    query: target["expr"].as_str().unwrap().to_owned(),
                    shown: shown.collect(),
                });
            }
        }
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            // `label_values(series, label)`
            let Some(query) = variable["query"]["query"].as_str() else { continue };
            let within = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
            let (series, label) = within.rsplit_once(", ").unwrap();
            asked.push(Asked {
                place: format!("{file}: variable {}", variable["name"]),
                of: "prometheus".to_owned(),
                query: series.to_owned(),
                shown: vec![label.to_owned()],
            });
        }
    }
    assert!(asked.len() > 50, "{} queries", asked.len());
    asked
}

/// Every series that can be asked for, with its labels and the values that each of these is known to have.
struct Series(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Series {
    async fn known() -> Self {
        let mut series = Self(BTreeMap::new());
        for sample in happened().await.samples.keys() {
            let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
            let of_name = series.0.entry(name.to_owned()).or_default();
            for pair in labels.trim_end_matches('}').split("\",").filter(|pair| !pair.is_empty()) {
                let (label, value) = pair.split_once("=\"").unwrap();
                of_name.entry(label.to_owned()).or_default().insert(value.trim_end_matches('"').to_owned());
            }
        }
        series.also_documented();
        for (name, labels) in OF_OTHERS {
            let labels = labels.iter().map(|label| ((*label).to_owned(), BTreeSet::new()));
            series.0.insert(name.to_owned(), labels.collect());
        }
        for rule in rules().iter().filter(|rule| !rule.is_alert) {
            // `namespace_consumer:what:how` has the labels that its name begins with.
            let labels = rule.name.split(':').next().unwrap().split('_');
            let labels = labels.map(|label| (label.to_owned(), BTreeSet::new()));
            series.0.insert(rule.name.clone(), labels.collect());
        }
        series
    }

    /// Values that stand in the specification and did not happen.
    fn also_documented(&mut self) {
        for row in documented() {
            for (name, labels) in &mut self.0 {
                if row.name == *name || name.strip_prefix(&row.name).is_some_and(|rest| rest.starts_with('_'))
                {
                    for values in labels.values_mut() {
                        values.extend(row.spans.iter().cloned());
                    }
                }
            }
        }
    }

    /// What is wrong with a query.
    fn faults(&self, text: &str, shown: &[String]) -> Vec<String> {
        let query = Query::read(text);
        let mut faults: Vec<_> =
            query.selectors.iter().flat_map(|selector| self.faults_of(selector)).collect();
        let labels: BTreeSet<_> =
            query.selectors.iter().filter_map(|it| self.0.get(&it.name)).flat_map(BTreeMap::keys).collect();
        let has = |label: &&String| {
            OF_TARGETS.contains(&label.as_str()) || labels.contains(label) || query.texts.contains(*label)
        };
        let unknown = query.grouped.iter().chain(shown).filter(|label| !has(label));
        faults.extend(unknown.map(|label| format!("nothing in it has the label {label}")));
        if query.selectors.is_empty() {
            faults.push("it asks for nothing".to_owned());
        }
        faults
    }

    fn faults_of(&self, selector: &Selector) -> Vec<String> {
        let Some(labels) = self.0.get(&selector.name) else {
            return vec![format!("nobody tells {}", selector.name)];
        };
        let fault = |(label, value): &(String, String)| {
            if OF_TARGETS.contains(&label.as_str()) {
                return None;
            }
            let Some(values) = labels.get(label) else {
                return Some(format!("{} has no label {label}", selector.name));
            };
            let plain =
                value.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) && !values.is_empty();
            (plain && !values.contains(value)).then(|| format!("{} has no {label} {value}", selector.name))
        };
        selector.matchers.iter().filter_map(fault).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_a_dashboard_names_what_the_code_exports() {
    let series = Series::known().await;
    let asked = asked();
    let of_prometheus = asked.iter().filter(|asked| asked.of == "prometheus");
    let faults = of_prometheus.flat_map(|asked| {
        series.faults(&asked.query, &asked.shown).into_iter().map(|fault| format!("{}: {fault}", asked.place))
    });
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_names_what_the_code_exports() {
    let series = Series::known().await;
    let mut faults = Vec::new();
    for rule in rules() {
        let summary = rule.definition["annotations"]["summary"].as_str().unwrap_or_default();
        let shown = summary.split("$labels.").skip(1);
        let shown =
            shown.map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
        let shown: Vec<String> = shown.collect();
        faults.extend(
            series.faults(&rule.query, &shown).into_iter().map(|fault| format!("{}: {fault}", rule.name)),
        );
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_what_nobody_tells_is_found() {
    let series = Series::known().await;
    for (wrong, complaint) in [
        ("rate(todo_chat_turn_total[5m])", "nobody tells"),
        ("sum by (tool) (todo_chat_turns_total)", "has the label tool"),
        ("todo_chat_turns_total{outcome=\"broken\"}", "no outcome broken"),
        ("todo_chat_turns_total{kind=\"input\"}", "no label kind"),
        ("todo_chat_turn_duration_seconds_bucket{le=\"7.0\"}", "no le 7.0"),
        ("namespace:todo_chat_turns:errors_ratio_rate7m", "nobody tells"),
        ("vector(1)", "asks for nothing"),
    ] {
        let faults = series.faults(wrong, &[]).concat();
        assert!(faults.contains(complaint), "{wrong}: {faults}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_exported_is_on_a_dashboard() {
    let recorded: BTreeMap<_, _> = rules().into_iter().map(|rule| (rule.name, rule.query)).collect();
    let mut names = BTreeSet::new();
    for asked in asked().iter().filter(|asked| asked.of == "prometheus") {
        for selector in Query::read(&asked.query).selectors {
            let behind = recorded.get(&selector.name).map(|query| Query::read(query).selectors);
            names.extend(behind.into_iter().flatten().map(|selector| selector.name));
            names.insert(selector.name);
        }
    }
    let Scrape { types, .. } = happened().await;
    let of = |metric: &String| {
        let histogram = ["_bucket", "_count", "_sum"].map(|part| format!("{metric}{part}"));
        names.contains(metric) || histogram.iter().any(|part| names.contains(part))
    };
    let unseen: Vec<_> = types.keys().filter(|metric| !of(metric)).collect();
    assert!(unseen.is_empty(), "on no dashboard: {unseen:?}");
}

#[test]
fn every_recorded_series_is_used_and_every_alert_is_tried() {
    let rules = rules();
    let queries: Vec<_> = asked()
        .into_iter()
        .map(|asked| asked.query)
        .chain(rules.iter().map(|rule| rule.query.clone()))
        .collect();
    let tests: Value =
        serde_saphyr::from_str(&read(&format!("{FOLDER}/prometheus/rules.test.yaml"))).unwrap();
    let tests = tests["tests"].as_array().unwrap().iter();
    let tried = tests.flat_map(|test| test["alert_rule_test"].as_array().into_iter().flatten());
    let fired = tried.filter(|tried| tried["exp_alerts"].as_array().is_some_and(|alerts| !alerts.is_empty()));
    let fired: BTreeSet<_> = fired.map(|fired| fired["alertname"].as_str().unwrap()).collect();
    for rule in &rules {
        match rule.is_alert {
            true => assert!(fired.contains(&*rule.name), "no test sees {} fire", rule.name),
            false => assert!(
                queries.iter().any(|query| query.contains(&rule.name)),
                "nobody asks for {}",
                rule.name
            ),
        }
    }
}

/// Prometheus reads the queries of the dashboards too, as rules: where `ci/observability build` has made its tool.
#[test]
fn prometheus_understands_every_query_of_a_dashboard() {
    let Some(promtool) = built("promtool") else { return };
    let queries = asked().into_iter().filter(|asked| asked.of == "prometheus").enumerate();
    let rules = queries.map(|(number, asked)| {
        let query = asked
            .query
            .replace("$__rate_interval", "5m")
            .replace("$input_price", "1")
            .replace("$output_price", "1");
        serde_json::json!({"record": format!("dashboard:query_{number}"), "expr": query})
    });
    let file = serde_json::json!({"groups": [{"name": "dashboards", "rules": rules.collect::<Vec<_>>()}]});
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.yaml");
    std::fs::write(&path, file.to_string()).unwrap();
    let output = Command::new(promtool).args(["check", "rules"]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What Loki makes labels of is what the collector gives it, and all that a query of lines may begin with.
#[test]
fn a_query_of_lines_names_labels_that_they_have() {
    let loki: Value = serde_saphyr::from_str(&read(&format!("{FOLDER}/loki/loki.yaml"))).unwrap();
    let attributes =
        &loki["limits_config"]["otlp_config"]["resource_attributes"]["attributes_config"][0]["attributes"];
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let collector: Value =
        serde_saphyr::from_str(&read(&format!("{FOLDER}/collector/collector.yaml"))).unwrap();
    assert_eq!(names(attributes), names(&collector["processors"]["groupbyattrs/labels"]["keys"]));
    let labels: Vec<_> = names(attributes).iter().map(|name| name.replace('.', "_")).collect();
    let asked = asked();
    let mut of_loki = asked.iter().filter(|asked| asked.of == "loki").peekable();
    assert!(of_loki.peek().is_some());
    for asked in of_loki {
        let stream = asked.query.strip_prefix('{').unwrap().split_once('}').unwrap().0;
        let named = stream.split(", ").map(|matcher| matcher.split(['=', '!']).next().unwrap());
        let unknown: Vec<_> = named.filter(|name| !labels.iter().any(|label| label == name)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", asked.place);
    }
}
