//! A value that is made once, by the first who needs it, while the others wait: [`OnceCell`], and [`Lazy`], which knows how.
//!
//! ```
//! use asupersync_sync::once_cell::OnceCell;
//! use types::Res;
//!
//! async fn config<'a>(cx: &mut cx::Cx, cell: &'a OnceCell<String>) -> Res<&'a String> {
//!     cell.get_or_try_init(cx, async |_| Ok("made by whoever comes first".to_string())).await
//! }
//! ```
//!
//! Whoever makes the value may fail, panic or be cancelled: the cell stays empty then, and the next one in line makes it.
//! Made of a [`Mutex`] for the line and a [`OnceLock`] for the value, so a look at a value that is there is one load.
//!
//! Not here: replacing the value (`watch`).

use std::{fmt, future::poll_fn, panic::Location, sync::OnceLock};

use cx::{Access, Cx, Holding, Object, ObjectKind, Row};
use types::{Cancelled, Res, Stop};

use crate::mutex::{Guard, Mutex};

/// A value that is made at most once.
pub struct OnceCell<T> {
    value: OnceLock<T>,
    making: Mutex<()>,
    /// The value to exploration: whoever finds it doesn't come near the mutex.
    object: Object,
}

/// What somebody finds who needs a value.
enum Begun<'c, T> {
    There(&'c T),
    /// None, and nobody else makes one meanwhile.
    Alone(Guard<'c, ()>),
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> Self {
        let object = Object::new(ObjectKind::Value);
        Self { value: OnceLock::new(), making: Mutex::new(()), object }
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnceCell").field(&self.value.get()).finish()
    }
}

impl<T> OnceCell<T> {
    /// An empty cell.
    #[track_caller]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value, if it was made.
    pub fn get(&self) -> Option<&T> {
        self.object.touch(Access::Read);
        self.value.get()
    }

    /// The value, if it was made; nobody else can have the cell.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Puts a value in. Never waits.
    ///
    /// # Errors
    /// There is one, or somebody is making one: this one comes back.
    pub fn set(&self, value: T) -> Result<(), T> {
        match self.making.try_lock() {
            Some(_alone) => {
                let set = self.value.set(value);
                self.object.touch(if set.is_ok() { Access::Write } else { Access::Read });
                set
            }
            None => Err(value),
        }
    }

    /// The value; `make` makes it if there is none. Others wait meanwhile, in their order. `make` must not use this cell:
    /// it would wait for itself (in the lab, a reported deadlock).
    ///
    /// A cancellation point, and one operation of the task's budget at least, also if there is a value:
    /// [`get`](Self::get) is neither.
    ///
    /// # Errors
    /// What `make` failed with, or cancelled. What was empty is so then, and the next one in line tries.
    #[track_caller]
    pub fn get_or_try_init<'o, C: Row, E>(
        &'o self,
        cx: &mut Cx<C>,
        make: impl AsyncFnOnce(&mut Cx<C>) -> Res<T, E>,
    ) -> impl Future<Output = Res<&'o T, E>> {
        let site = Location::caller();
        async move {
            let _alone = match self.begin(cx, site).await.map_err(Stop::Cancelled)? {
                Begun::There(value) => return Ok(value),
                Begun::Alone(guard) => guard,
            };
            Ok(self.fill(make(cx).await?))
        }
    }

    /// As [`get_or_try_init`](Self::get_or_try_init), with a future that is awaited only if there is no value: where `cx` is
    /// borrowed by others too. It must not wait for this cell.
    ///
    /// ```
    /// use asupersync_sync::once_cell::OnceCell;
    /// use types::Res;
    ///
    /// async fn answer(cx: &cx::Cx, cell: &OnceCell<u32>) -> Res<u32> {
    ///     Ok(*cell.get_or_await(cx, async { Ok::<u32, types::Stop>(42) }).await?)
    /// }
    /// ```
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn get_or_await<'o, C: Row, E>(
        &'o self,
        cx: &Cx<C>,
        make: impl Future<Output = Res<T, E>>,
    ) -> impl Future<Output = Res<&'o T, E>> {
        let site = Location::caller();
        async move {
            let _alone = match self.begin(cx, site).await.map_err(Stop::Cancelled)? {
                Begun::There(value) => return Ok(value),
                Begun::Alone(guard) => guard,
            };
            Ok(self.fill(make.await?))
        }
    }

    /// `site` is the line of whoever needs the value: reports name it.
    async fn begin<C: Row>(
        &self,
        cx: &Cx<C>,
        site: &'static Location<'static>,
    ) -> Result<Begun<'_, T>, Cancelled> {
        if !types::seeded!("once.filled-unasked") {
            poll_fn(|context| cx.poll_operation(context, &self.object, Access::Read, Some(site))).await?;
        }
        if let Some(value) = self.get() {
            return Ok(Begun::There(value));
        }
        let alone = self.making.lock_at(cx, site, Holding::ForItself).await?;
        if !types::seeded!("once.made-again")
            && let Some(value) = self.get()
        {
            return Ok(Begun::There(value));
        }
        Ok(Begun::Alone(alone))
    }

    /// The value was made by whoever was let in alone.
    fn fill(&self, made: T) -> &T {
        let value = self.value.get_or_init(|| made);
        self.object.touch(Access::Write);
        value
    }

    /// The value.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

/// A value that is made when it's first needed.
///
/// ```
/// use asupersync_sync::once_cell::Lazy;
/// use types::Res;
///
/// async fn answer(cx: &mut cx::Cx) -> Res<u32> {
///     let lazy = Lazy::new(async |_: &mut cx::Cx| -> Res<u32> { Ok(42) });
///     Ok(*lazy.force(cx).await? + *lazy.force(cx).await?) // made once
/// }
/// ```
#[derive(Debug)]
pub struct Lazy<T, F> {
    cell: OnceCell<T>,
    make: F,
}

impl<T, F> Lazy<T, F> {
    /// A value that `make` makes. It's a clone of `make` that runs, as the first one may fail or be cancelled.
    #[track_caller]
    pub fn new(make: F) -> Self {
        Self { cell: OnceCell::new(), make }
    }

    /// The value, if it was made.
    pub fn get(&self) -> Option<&T> {
        self.cell.get()
    }

    /// The value, made now if it wasn't before.
    ///
    /// # Errors
    /// As [`OnceCell::get_or_try_init`].
    #[track_caller]
    pub fn force<'o, C: Row, E>(&'o self, cx: &mut Cx<C>) -> impl Future<Output = Res<&'o T, E>>
    where
        F: AsyncFnOnce(&mut Cx<C>) -> Res<T, E> + Clone,
    {
        self.cell.get_or_try_init(cx, self.make.clone())
    }
}
