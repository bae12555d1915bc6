//! A row's environment is made by `with`, never by writing a type.
use asupersync::cx::{No, Row};

struct Vault;

#[derive(Debug)]
struct Mine;

impl Row for Mine {
    type Spawn = No;
    type Time = No;
    type Trace = No;
    type Random = No;
    type Net = No;
    type Files = No;
    type Process = No;
    type Signal = No;
    type Blocking = No;
    type Remote = No;
    type Env = Vault;
}
