//! The function as a Spin component.

use std::cell::OnceCell;
use std::rc::Rc;

use http::StatusCode;
use todo_delivery::component::{Response, settings};
use todo_delivery::{SetupError, log};

use crate::{Keeper, NAME, status};

thread_local! {
    /// Kept for the instance's life: holds configuration and keys, nothing of a request.
    static KEEPER: OnceCell<Rc<Keeper>> = const { OnceCell::new() };
}

#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> Response {
    match keeper().await {
        Ok(keeper) => keeper.serve(request).await,
        Err(error) => {
            log::failed(NAME, None, &error);
            status(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

async fn keeper() -> Result<Rc<Keeper>, SetupError> {
    if let Some(keeper) = KEEPER.with(|keeper| keeper.get().cloned()) {
        return Ok(keeper);
    }
    let keeper = Rc::new(Keeper::open(&settings().await?).await?);
    // Two requests may have come this far at once; both keepers are the same.
    Ok(KEEPER.with(|kept| kept.get_or_init(|| keeper).clone()))
}
