//! The migrations are part of the program: a new file must compile it again, which Cargo would not notice.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
