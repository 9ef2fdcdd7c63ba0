//! `ci/compose.yaml` and `ci/platform` start the same services, with the topics that the schemas are of.

use serde_json::Value;

use crate::{names, read};

fn services() -> Value {
    let compose: Value = serde_saphyr::from_str(&read("ci/compose.yaml")).unwrap();
    compose["services"].clone()
}

/// What `ci/platform` sets a name to.
fn set_in_platform(name: &str) -> String {
    let platform = read("ci/platform");
    let line = platform.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    let line = line.unwrap_or_else(|| panic!("ci/platform does not set {name}"));
    line.split_whitespace().next().unwrap().to_owned()
}

fn image<'a>(services: &'a Value, service: &str) -> (&'a str, &'a str) {
    let image = services[service]["image"].as_str().unwrap_or_else(|| panic!("no service {service}"));
    image.rsplit_once(':').unwrap_or_else(|| panic!("{image} has no version"))
}

#[test]
fn every_image_has_a_version_and_what_depends_on_it_waits_until_it_answers() {
    let services = services();
    for (name, service) in services.as_object().unwrap() {
        let (_, version) = image(&services, name);
        assert!(version.contains(|c: char| c.is_ascii_digit()), "{name}: {version}");
        let waits = service["depends_on"].as_object().into_iter().flatten();
        for (other, how) in waits.filter(|(_, how)| how["condition"] == "service_healthy") {
            assert!(
                !services[other]["healthcheck"].is_null(),
                "{name} waits for {other}, which tells nothing: {how}"
            );
        }
    }
}

#[test]
fn dapr_has_one_version_everywhere() {
    let (services, version) = (services(), set_in_platform("dapr_version"));
    assert_eq!(image(&services, "daprd"), ("daprio/daprd", version.as_str()));
    assert_eq!(image(&services, "scheduler"), ("daprio/scheduler", version.as_str()));
    let module = read("ci/platform.d/dapr/go.mod");
    assert!(module.contains(&format!("github.com/dapr/dapr v{version}\n")), "{version}");
    let minor = version.rsplit_once('.').unwrap().0;
    assert!(
        read("docs/specs/sidecar.md").contains(&format!("Dapr {minor}\n")),
        "sidecar.md is about another than {minor}"
    );
}

#[test]
fn topics_are_those_of_the_schemas_with_the_same_partitions_everywhere() {
    let partitions = set_in_platform("partitions");
    let services = services();
    let topics = services["topics"]["command"][0].as_str().unwrap();
    assert!(
        topics.contains("/schemas/*.json") && topics.contains(&format!("--partitions {partitions} ")),
        "{topics}"
    );
    assert_eq!(services["topics"]["volumes"][0], "../docs/schemas:/schemas:ro");
    assert!(read("ci/platform").contains("docs/schemas/*.json"));
    let manifests = names("knative").into_iter().filter(|name| name.ends_with(".yaml"));
    for manifest in manifests {
        for line in read(&format!("knative/{manifest}")).lines() {
            let number = line.trim().strip_prefix("numPartitions: ");
            assert!(number.is_none_or(|number| number == partitions), "{manifest}: {line}");
        }
    }
    let known: Vec<_> =
        names("docs/schemas").iter().map(|name| name.trim_end_matches(".json").to_owned()).collect();
    let routes = todo_sidecar::Routes::load(crate::root("knative")).unwrap();
    for topic in routes.topics().iter().filter(|topic| !topic.starts_with("knative-broker-")) {
        assert!(known.iter().any(|known| **known == **topic), "{topic} has no schema");
    }
}

#[test]
fn both_daprds_are_given_the_same_resources() {
    let (services, platform) = (services(), read("ci/platform"));
    let group = "s/^ *consumerGroup: *//p";
    let command = services["resources"]["command"][0].as_str().unwrap();
    assert!(command.contains(group) && platform.contains(group));
    for file in names("dapr/components") {
        for name in read(&format!("dapr/components/{file}")).split("envRef: ").skip(1) {
            let name: String = name.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            assert!(
                services["daprd"]["environment"][&name].is_string(),
                "ci/compose.yaml does not give daprd {name}"
            );
            assert!(platform.contains(&format!("{name}=")), "ci/platform does not give daprd {name}");
        }
    }
}

#[test]
fn what_watches_the_system_is_mounted_from_the_chart_and_started_only_when_it_is_wanted() {
    let services = services();
    let mounted = |service: &Value| service["volumes"].to_string().contains("charts/todo/observability");
    let watching: Vec<_> = services.as_object().unwrap().iter().filter(|(_, it)| mounted(it)).collect();
    assert_eq!(watching.len(), 5);
    for (name, service) in watching {
        assert_eq!(service["profiles"], serde_json::json!(["observability"]), "{name}");
        let volumes = service["volumes"].as_array().unwrap().iter().map(|volume| volume.as_str().unwrap());
        for folder in volumes.filter_map(|volume| volume.strip_prefix("../")) {
            let folder = folder.split(':').next().unwrap();
            assert!(folder.starts_with("data/") || crate::root(folder).is_dir(), "{name}: no {folder}");
        }
    }
    // Prometheus 3.15.0 is the module's v0.315.0, whose promtool checks the rules.
    let (_, version) = image(&services, "prometheus");
    let parts: Vec<u32> =
        version.trim_start_matches('v').split('.').map(|part| part.parse().unwrap()).collect();
    let module = format!("github.com/prometheus/prometheus v0.{}{:02}.{} ", parts[0], parts[1], parts[2]);
    assert!(read("ci/observability.d/go.mod").contains(&module), "ci/observability.d is not of {version}");
    let (_, version) = image(&services, "collector");
    let module = format!("go.opentelemetry.io/collector/otelcol v{version}");
    let modules = read("ci/observability.d/collector/go.mod");
    assert!(modules.contains(&module), "ci/observability.d/collector is not of {version}");
}
