#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

const TWO: &str = r#"
spin_manifest_version = 2
[application]
name = "two"
[variables]
key = { required = true, secret = true }
hosts = { default = "*:*" }
[[trigger.http]]
route = "/b/..."
component = "b"
[[trigger.http]]
route = "/a"
component = "a"
[component.b]
source = "b.wasm"
sqlite_databases = ["default"]
allowed_outbound_hosts = ["postgres://{{ hosts }}"]
variables = { key = "k={{ key }};", name = "b" }
build = { command = ["make b", "make c"], workdir = "src" }
[component.b.tool.other]
anything = true
[component.a]
source = "a.wasm"
"#;

fn parse(text: &str) -> Result<Manifest, String> {
    Manifest::parse(text, PathBuf::from("/app"))
}

#[test]
fn components_keep_the_order_of_the_file() {
    let manifest = parse(TWO).unwrap();
    let ids: Vec<_> = manifest.components().iter().map(|component| component.id.as_str()).collect();
    assert_eq!(ids, ["b", "a"]);
    assert_eq!(manifest.component("b").unwrap().source, PathBuf::from("/app/b.wasm"));
}

#[test]
fn build_commands_run_in_their_folder() {
    let manifest = parse(TWO).unwrap();
    let build = manifest.component("b").unwrap().build.clone().unwrap();
    assert_eq!(build.commands, ["make b", "make c"]);
    assert_eq!(build.folder, PathBuf::from("/app/src"));
}

#[test]
fn templates_take_the_values_of_variables() {
    let manifest = parse(TWO).unwrap();
    let values = manifest.resolve(&Variables::from([("key".into(), "s3".into())]), &[]).unwrap();
    let b = manifest.component("b").unwrap();
    assert_eq!(b.variables(&values)["key"], "k=s3;");
    assert_eq!(b.outbound_hosts(&values), ["postgres://*:*"]);
}

#[test]
fn a_required_variable_without_a_value_is_named() {
    let manifest = parse(TWO).unwrap();
    let used: Vec<_> = manifest.components().iter().collect();
    let error = manifest.resolve(&Variables::new(), &used).unwrap_err();
    assert_eq!(error.to_string(), "the variable `key` is required by the manifest and has no value");
}

#[test]
fn a_required_variable_that_no_loaded_component_uses_may_lack() {
    let manifest = parse(TWO).unwrap();
    assert!(manifest.resolve(&Variables::new(), &[manifest.component("a").unwrap()]).is_ok());
}

#[test]
fn a_value_for_an_unknown_variable_is_refused() {
    let given = Variables::from([("kee".into(), "s3".into())]);
    let error = parse(TWO).unwrap().resolve(&given, &[]).unwrap_err();
    assert!(matches!(error, ManifestError::VariableUnknown(name) if name == "kee"));
}

#[test]
fn what_the_host_does_not_offer_is_refused_by_name() {
    for (key, line) in [
        ("files", "files = [\"a\"]"),
        ("key_value_stores", "key_value_stores = [\"default\"]"),
        ("ai_models", "ai_models = [\"m\"]"),
        ("nonsense", "nonsense = 1"),
    ] {
        let text = format!("{TWO}\n{line}\n");
        let error = parse(&text).unwrap_err();
        assert!(error.contains(key) && error.contains("component `a`"), "{error}");
    }
}

#[test]
fn wrong_manifests_are_refused_with_the_reason() {
    for (from, to, reason) in [
        ("spin_manifest_version = 2", "spin_manifest_version = 1", "only 2"),
        ("[component.a]", "[component.other]", "unknown component `a`"),
        ("route = \"/a\"", "route = \"/:name\"", "trailing `/...`"),
        ("route = \"/a\"", "route = \"a\"", "start with `/`"),
        ("{{ key }}", "{{ kee }}", "unknown variable `kee`"),
        ("{{ key }}", "{{ key", "does not close"),
        ("default = \"*:*\"", "secret = true", "required = true"),
        ("required = true, secret", "default = \"x\", secret", "a secret has no default"),
    ] {
        let error = parse(&TWO.replace(from, to)).unwrap_err();
        assert!(error.contains(reason), "{to}: {error}");
    }
}

#[test]
fn routes_match_themselves_and_what_is_below_a_wildcard() {
    let exact = Route::parse("/a").unwrap();
    assert_eq!((exact.rest("/a"), exact.rest("/a/b"), exact.rest("/ab")), (Some(""), None, None));
    let wildcard = Route::parse("/a/...").unwrap();
    assert_eq!(wildcard.rest("/a"), Some(""));
    assert_eq!(wildcard.rest("/a/b/c"), Some("/b/c"));
    assert_eq!(wildcard.rest("/ab"), None);
    assert_eq!(Route::everything().rest("/x/y"), Some("/x/y"));
}
