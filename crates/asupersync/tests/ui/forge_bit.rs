//! A row written by hand grants yes or no, nothing in between.
use asupersync::cx::{No, NoEnv, Row, Yes};

struct Perhaps;

#[derive(Debug)]
struct Mine;

impl Row for Mine {
    type Spawn = Perhaps;
    type Time = Yes;
    type Trace = No;
    type Random = No;
    type Net = No;
    type Files = No;
    type Process = No;
    type Signal = No;
    type Blocking = No;
    type Remote = No;
    type Env = NoEnv;
}
