//! A Lambda that does nothing: what `lambda_runtime` alone costs to start. The benchmark `start` measures the others
//! beside it.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

async fn same(event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(event.payload)
}

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(lambda_runtime::run(service_fn(same)))
}
