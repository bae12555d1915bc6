//! What most programs want in scope: the context with its extensions, what tasks return, and the lab.
//!
//! Not here: rows other than the default one, primitives. They are few in a file, and their names say more
//! with their module: `mpsc::channel`, `TimeOnly`.
pub use combinator::stream::{StreamCxExt, StreamExt, TryStreamExt};
pub use combinator::{CombineExt, ManyExt, SelectExt};
pub use core::time::Duration;
pub use cx::{Cx, MayNet, MaySpawn, MayTime, MayTrace, RegionHandle, RegionOptions, Row, TaskHandle};
#[cfg(feature = "lab")]
pub use lab::{LabConfig, LabRuntime, Search};
pub use time::TimeExt;
pub use types::{CancelKind, Cancelled, Outcome, Res, Stop, Time};
