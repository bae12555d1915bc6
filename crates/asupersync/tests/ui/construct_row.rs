//! A row is only a name: there are no values of it to pass around.
fn program() {
    let _ = asupersync::All(());
}
