//! A user's capability is a value that somebody supplied: claiming it in a row does not make one.
use asupersync::prelude::*;
use asupersync::{All, Provides, With};

struct Db;
struct Vault(Db);
impl Provides<Db> for Vault {
    fn provide(&self) -> &Db {
        &self.0
    }
}

async fn query(cx: &mut Cx<With<All, Vault>>) {
    let _ = cx.env::<Db>();
}

async fn thief(cx: &mut Cx) {
    query(cx.narrow()).await
}
