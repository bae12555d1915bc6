//! One `?` for everything: each row of the table in `stop.rs`, and what errors print.

use super::*;
use crate::{CancelKind, Never, Origin};
use alloc::format;
use alloc::string::String;

#[derive(Debug, PartialEq)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection refused")
    }
}

impl StdError for Refused {}

#[derive(Debug, PartialEq)]
struct NoOrder(Refused);

impl fmt::Display for NoOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed to place the order")
    }
}

impl StdError for NoOrder {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

/// A user's own error: not even Display.
#[derive(Debug, PartialEq)]
enum Mine {
    Refused(Refused),
}

impl From<Refused> for Mine {
    fn from(refused: Refused) -> Mine {
        Mine::Refused(refused)
    }
}

fn cancelled() -> Cancelled {
    Cancelled::new(CancelKind::Explicit, Origin::OUTSIDE).build()
}

#[test]
fn an_error_reaches_the_users_own_type() {
    fn body() -> Res<(), Mine> {
        Err(Refused)?;
        Ok(())
    }
    assert!(matches!(body(), Err(Stop::Err(Mine::Refused(Refused)))));
}

#[test]
fn an_error_reaches_the_default_type_and_can_be_taken_out() {
    fn body() -> Res {
        Err(Refused)?;
        Ok(())
    }
    let Err(Stop::Err(error)) = body() else { panic!("an error went somewhere else") };
    assert_eq!(error.downcast_ref::<Refused>(), Some(&Refused));
    assert!(error.downcast_ref::<NoOrder>().is_none());
    let error = error.downcast::<NoOrder>().unwrap_err();
    assert_eq!(error.downcast::<Refused>().unwrap(), Refused);
}

#[test]
fn a_cancellation_stays_one_beside_any_error_type() {
    fn mine() -> Res<(), Mine> {
        Err(cancelled())?;
        Ok(())
    }
    fn default() -> Res {
        Err(cancelled())?;
        Ok(())
    }
    assert!(mine().unwrap_err().is_cancelled());
    assert!(default().unwrap_err().is_cancelled());
}

#[test]
fn a_childs_typed_stop_keeps_its_side_in_a_body_with_the_default_error() {
    fn body(child: Res<(), Refused>) -> Res {
        Ok(child?)
    }
    fn of_infallible(child: Res<(), Never>) -> Res {
        Ok(child?)
    }
    assert!(matches!(body(Err(Stop::Err(Refused))), Err(Stop::Err(_))));
    assert!(body(Err(Stop::Cancelled(cancelled()))).unwrap_err().is_cancelled());
    assert!(of_infallible(Err(Stop::Cancelled(cancelled()))).unwrap_err().is_cancelled());
    assert!(of_infallible(Ok(())).is_ok());
}

#[test]
fn a_default_error_is_passed_on_as_it_is() {
    fn body() -> Res {
        Err(Error::msg("failed to start"))?;
        Ok(())
    }
    assert_eq!(format!("{}", body().unwrap_err()), "failed to start");
}

#[test]
fn an_own_error_is_changed_by_hand() {
    let stop = Stop::Err(Refused).map_err(Mine::from);
    assert!(matches!(stop, Stop::Err(Mine::Refused(Refused))));
    assert!(Stop::<Refused>::Cancelled(cancelled()).map_err(Mine::from).is_cancelled());
}

#[test]
fn debug_shows_the_sources_and_display_does_not() {
    let error = Error::from(NoOrder(Refused));
    assert_eq!(format!("{error}"), "failed to place the order");
    assert_eq!(format!("{error:?}"), "failed to place the order\n  because connection refused");
    let message = Error::msg(String::from("failed to bind"));
    assert_eq!(
        (format!("{message}"), format!("{message:?}")),
        (format!("{message:?}"), format!("{message}"))
    );
    assert!(message.as_dyn().source().is_none());
}

#[test]
fn a_stop_prints_whichever_it_is() {
    assert_eq!(format!("{}", Stop::Err(Refused)), "connection refused");
    assert_eq!(format!("{}", Stop::<Refused>::Cancelled(cancelled())), "cancelled: somebody asked for it");
}
