//! Rows: narrowing at a trust boundary, capabilities of the user's own, rows that are inferred from a task's signature.
//!
//! Not here: what widening and forging say (`ui/`).
use super::*;

async fn leaf(cx: &mut Cx<impl MayTime>) -> Res {
    cx.sleep(ms(1)).await?;
    Ok(())
}

async fn plugin(cx: &mut Cx<TimeOnly>) -> Res {
    leaf(cx).await
}

async fn generic_to_concrete(cx: &mut Cx<impl MayTime + MayTrace>) -> Res {
    cx.trace("x");
    leaf(cx).await
}

#[test]
fn authority_is_narrowed_at_a_trust_boundary() {
    run(async |cx| -> Res {
        leaf(cx).await?;
        generic_to_concrete(cx).await?;
        plugin(cx.narrow()).await
    })
    .unwrap();
}

struct Db {
    rows: u8,
}

struct App {
    db: Db,
}

impl Provides<Db> for App {
    fn provide(&self) -> &Db {
        &self.db
    }
}

async fn query(cx: &mut Cx<impl MayTime<Env: EnvProvides<Db>>>) -> Res<u8> {
    cx.sleep(ms(1)).await?;
    Ok(cx.env::<Db>().rows)
}

#[test]
fn a_capability_of_the_user_s_own_is_a_value_that_somebody_supplied() {
    let r = run(async |cx| cx.with(App { db: Db { rows: 9 } }, async |cx| query(cx).await).await);
    assert_eq!(r.unwrap(), 9);
}

#[test]
fn tasks_inherit_the_user_s_capability() {
    let r: Res<u8> = run(async |cx| {
        cx.with(App { db: Db { rows: 9 } }, async |cx| {
            cx.region(|scope| async {
                let mut task = scope.spawn(async |cx| query(cx).await);
                task.join(scope).await.ok()
            })
            .await
        })
        .await
    });
    assert_eq!(r.unwrap(), 9);
}

#[test]
fn a_handle_s_tasks_inherit_the_user_s_capability_it_was_taken_with() {
    let lab = lab(1);
    let r = lab.run(|cx| async {
        cx.with(App { db: Db { rows: 9 } }, async |cx| {
            let mut task = cx.handle().clone().try_spawn(async |cx| query(cx).await).ok().unwrap();
            task.join(cx).await.ok()
        })
        .await
    });
    assert_eq!(r.unwrap(), 9);
}

type BoxTask<T> = Box<dyn for<'a> FnOnce(&'a mut Cx) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> + Send>;

fn boxed<T: Send + 'static, F: asupersync::Task<T>>(f: F) -> BoxTask<T> {
    Box::new(move |cx| {
        Box::pin(async move { <F as asupersync::cx::TaskFn<'_, All>>::Fut::from(f(cx)).await })
    })
}

/// A spawner of the user's own, which infers the child's row from the child.
fn spawn_named<C, D, T, F>(cx: &Cx<C>, body: F)
where
    C: MaySpawn + MayTrace,
    D: Row + NarrowOf<C>,
    T: asupersync::types::TaskOutput,
    F: asupersync::Task<T, D>,
{
    cx.trace("spawning");
    cx.spawn_as(body);
}

#[test]
fn tasks_may_be_boxed_and_rows_inferred() {
    let lab = lab(1);
    lab.run(|cx| async {
        cx.region(|s| async {
            let tasks: Vec<BoxTask<Res>> = vec![
                boxed(async |cx| leaf(cx).await),
                boxed(async |cx| {
                    cx.checkpoint()?;
                    Ok(())
                }),
            ];
            for task in tasks {
                s.spawn(async move |cx: &mut Cx| task(cx).await);
            }
            s.spawn(leaf); // a generic fn item: its row is the region's
            s.spawn_as(plugin); // the row of the task's own signature, checked to be no more
            spawn_named(s, plugin);
        })
        .await
    });
    assert_eq!(lab.notes(), ["spawning"]);
    assert!(lab.oracles().is_ok());
}
