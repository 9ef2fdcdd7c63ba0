//! Secrets: `/v1.0/secrets/{store}/{name}`, from what the settings name and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::context::Context;
use crate::reply::Refusal;

type Secret = BTreeMap<String, String>;

pub(crate) async fn one(
    State(context): State<Arc<Context>>,
    Path((store, name)): Path<(String, String)>,
) -> Result<Json<Secret>, Refusal> {
    known(&context, &store)?;
    match context.settings.secrets.get(&name) {
        Some(value) => Ok(Json(BTreeMap::from([(name, value.clone())]))),
        None => {
            let message = format!("access denied by policy to get {name:?} from {store:?}");
            Err(Refusal::new(403, "ERR_PERMISSION_DENIED", message))
        }
    }
}

pub(crate) async fn bulk(
    State(context): State<Arc<Context>>,
    Path(store): Path<String>,
) -> Result<Json<BTreeMap<String, Secret>>, Refusal> {
    known(&context, &store)?;
    let secrets = &context.settings.secrets;
    let one =
        |(name, value): (&String, &String)| (name.clone(), BTreeMap::from([(name.clone(), value.clone())]));
    Ok(Json(secrets.iter().map(one).collect()))
}

fn known(context: &Context, store: &str) -> Result<(), Refusal> {
    match store == context.settings.secret_store {
        true => Ok(()),
        false => {
            let message = format!("failed finding secret store with key {store}");
            Err(Refusal::new(401, "ERR_SECRET_STORE_NOT_FOUND", message))
        }
    }
}
