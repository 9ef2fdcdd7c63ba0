//! `spin:variables`: the component's own variables, by name.

use wasmtime::Result;
use wasmtime::component::Accessor;

use super::{Spin, View};
use crate::bindings::variables::{Error, Host, HostWithStore};

impl Host for View<'_> {}

impl<T: 'static> HostWithStore<T> for Spin {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<Result<String, Error>> {
        let value = accessor.with(|mut store| store.get().capabilities.variables.get(&name).cloned());
        Ok(value.ok_or(Error::Undefined(name)))
    }
}
