//! Anytime-valid statistical tests over what a program does (e-processes).
#![forbid(unsafe_code)]
