//! Misuse does not compile, and the compiler says why in words: each `ui/NAME.rs` is compiled against the
//! facade, must fail, and must say what stands in `ui/NAME.stderr`.
//!
//! `UI_BLESS=1 cargo test -p asupersync --test ui` writes the snapshots; read the difference before you commit it.
//! They are exact for the pinned toolchain, so another one checks only that nothing compiles.
//!
//! What is compared is what the compiler prints, except for lines that a change elsewhere would move: of files that
//! are not the case itself only the path is kept, and the margin is evened out.
//!
//! Not here: misuse that a run refuses (`swap.rs`, `crates/lab/tests`).
#![allow(clippy::disallowed_methods, reason = "a test harness reads its own switch")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TOOLCHAIN: &str = "1.95.0";

#[test]
fn misuse_does_not_compile_and_says_why() {
    let compiler = Compiler::new();
    let bless = std::env::var_os("UI_BLESS").is_some();
    let exact = rustc_version().starts_with(TOOLCHAIN);
    let mut wrong = String::new();
    for case in cases() {
        let name = case.file_stem().unwrap().to_string_lossy().into_owned();
        let Some(said) = compiler.refusal_of(&case) else {
            let _ = writeln!(wrong, "== {name}: it compiles, and must not");
            continue;
        };
        let snapshot = case.with_extension("stderr");
        let expected = fs::read_to_string(&snapshot).unwrap_or_default();
        if bless {
            fs::write(&snapshot, &said).unwrap();
        } else if exact && said != expected {
            let _ =
                writeln!(wrong, "== {name}: the compiler says\n{said}\n-- but the snapshot is\n{expected}");
        }
    }
    assert!(
        wrong.is_empty(),
        "{wrong}\nif the new words are good: UI_BLESS=1 cargo test -p asupersync --test ui"
    );
}

/// A snapshot whose case is gone, or the other way round, is a case that nobody runs.
#[test]
fn every_case_has_a_snapshot_and_every_snapshot_a_case() {
    let mut stems: Vec<_> = files("stderr").iter().map(|p| p.with_extension("rs")).collect();
    stems.sort();
    assert_eq!(stems, cases());
}

/// The words of the issue: the message itself must carry them, not only a snapshot that somebody blessed.
#[test]
fn the_words_that_matter_are_in_the_snapshots() {
    for (name, words) in [
        ("spawn_without_authority", "this `Cx` may not spawn tasks"),
        ("spawn_missing_bound", "this `Cx` may not spawn tasks"),
        ("error_is_only_debug", "a `Res<T, E>`: `.map_err(Stop::Err)`"),
        ("sleep_without_authority", "this `Cx` may not read clocks or sleep"),
        ("trace_missing_bound", "this `Cx` may not emit trace events"),
        ("net_without_authority", "this `Cx` may not use the network"),
        ("widen", "that would ADD authority"),
        ("widen_by_spawn_as", "that would ADD authority"),
        ("forge_row", "that would ADD authority"),
        ("forge_bit", "`Perhaps` does not say whether an authority is granted"),
        ("forge_environment", "that would ADD authority"),
        ("forge_environment_type", "a row cannot claim a user value that nobody supplied"),
        ("missing_capability", "this `Cx` carries no `Db`"),
        ("construct_row", "private"),
        ("construct_cx", "private"),
        ("copy_cx_out", "does not implement the `Copy` trait"),
        ("return_cx_from_region", "cannot move out of `*scope`"),
        ("return_scope_and_use_outer", "cannot borrow `*cx` as"),
        ("return_cx_from_run", "lifetime may not live long enough"),
        ("return_cx_from_task", "a task cannot return `&mut asupersync::Cx`"),
        ("outer_cx_inside_region", "cannot borrow `*cx` as"),
        ("outer_cx_inside_timeout", "cannot borrow `*cx` as"),
        ("bare_future", "to spawn a plain future write `spawn(async move |_cx| fut.await)`"),
        ("not_a_task_output", "tasks return `()`, `Res<T>`, `Result<T, E>` or `Outcome<T, E>`"),
        ("not_send", "is not `Send`"),
        ("result_not_send", "the value of a task has to be `Send`, and `Rc<u8>` is not"),
        ("local_bare_output", "a local task cannot return `Rc<"),
        (
            "local_error_not_send",
            "it has to be `Send`: an error that nobody joined moves to whoever awaits the region",
        ),
        ("borrow_local_in_spawn", "does not live long enough"),
        ("permit_twice", "takes ownership of the receiver `self`"),
        ("rwlock_of_cell", "`std::cell::Cell<u8>` cannot be shared between threads safely"),
        ("rwlock_guard_of_rc", "`Rc<u8>` cannot be sent between threads safely"),
        ("forgot_narrow", "expected `&mut Cx<TimeOnly>`, found `&mut Cx"),
        ("finalizer_spawns", "this `Cx` may not spawn tasks"),
        ("main_not_async", "expected an async fn that takes `cx: &mut Cx`"),
        ("main_without_cx", "expected an async fn that takes `cx: &mut Cx`: this one takes nothing"),
        ("main_bad_output", "a task cannot return `u8`"),
        ("lab_test_bad_seeds", "`seeds` is a range of numbers"),
        ("lab_test_idle_option", "`limit` is for `explore = \"every\"`"),
        ("lab_test_unknown_sampler", "`explore` is \"every\", \"random\", \"pct:DEPTH\""),
        ("main_bad_grace", "`grace` is a time in quotes"),
        ("main_bad_after_grace", "`after_grace` is \"wait\" or \"abandon\""),
        ("main_unknown_option", "unknown option `deadline`: there are `workers`, `grace`, `after_grace`"),
        ("test_twice", "it is a test already"),
    ] {
        let path = directory().join(name).with_extension("stderr");
        let text = flat(&path);
        assert!(text.contains(words), "`{name}` no longer says `{words}`:\n{text}");
    }
}

/// What the guide quotes of the compiler is what a misuse here makes it say, and every misuse that the compiler answers in its
/// own words is there.
#[test]
fn the_guide_quotes_what_the_compiler_says() {
    let guide = fs::read_to_string(directory().join("../../../../docs/guide.md")).unwrap();
    let (_, section) = guide.split_once("## What the compiler says").expect("the guide has that section");
    let (section, _) = section.split_once("\n## ").expect("and others after it");
    let quotes: Vec<&str> =
        section.split("``").skip(1).step_by(2).map(str::trim).filter(|q| !q.starts_with('`')).collect();
    let said: Vec<String> = files("stderr").iter().map(|path| flat(path)).collect();
    for quote in &quotes {
        assert!(said.iter().any(|text| text.contains(quote)), "no misuse makes the compiler say `{quote}`");
    }
    for name in [
        "spawn_plain_closure",
        "spawn_typed_plain_closure",
        "outer_cx_inside_region",
        "outer_cx_inside_timeout",
        "two_fetches_at_once",
        "timeout_in_shared_cx",
        "shared_cx_where_exclusive",
        "spawn_task_of_shared_cx",
        "forgot_narrow",
        "borrow_local_in_spawn",
    ] {
        let text = flat(&directory().join(name).with_extension("stderr"));
        assert!(
            quotes.iter().any(|quote| text.contains(quote)),
            "the guide says nothing of `{name}`:\n{text}"
        );
    }
}

/// What a file says, on one line.
fn flat(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui")
}

fn files(extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == extension)).collect()
}

fn cases() -> Vec<PathBuf> {
    let mut cases = files("rs");
    cases.sort();
    cases
}

fn rustc_version() -> String {
    let out = Command::new("rustc").arg("--version").output().unwrap();
    String::from_utf8_lossy(&out.stdout).trim_start_matches("rustc ").to_string()
}

/// The compiler, with the facade as cargo builds it for this test.
struct Compiler {
    workspace: PathBuf,
    facade: String,
    dependencies: PathBuf,
    out: PathBuf,
}

impl Compiler {
    fn new() -> Compiler {
        // target/PROFILE/deps/ui-HASH
        let dependencies = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
        let profile = dependencies.parent().unwrap();
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--offline", "--package", "asupersync", "--lib", "--message-format", "json"]);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let out = cargo
            .arg("--target-dir")
            .arg(profile.parent().unwrap())
            .current_dir(&workspace)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let messages = String::from_utf8(out.stdout).unwrap();
        let facade = library(&messages).unwrap_or_else(|| panic!("cargo named no library:\n{messages}"));
        let out = profile.join("ui");
        fs::create_dir_all(&out).unwrap();
        Compiler { workspace, facade, dependencies, out }
    }

    /// What the compiler says about a case, evened out. `None`: it compiles.
    fn refusal_of(&self, case: &Path) -> Option<String> {
        let shown = case.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
        let mut rustc = Command::new("rustc");
        // As a program, so that a missing or doubled `main` counts; as a test, so that tests do.
        rustc.args(["--edition", "2024", "--emit", "metadata", "--test", "-Awarnings"]);
        rustc.args(["--diagnostic-width", "120"]);
        rustc.arg("--extern").arg(format!("asupersync={}", self.facade));
        rustc.arg("-L").arg(format!("dependency={}", self.dependencies.display()));
        rustc.arg("--out-dir").arg(&self.out).arg(Path::new("crates/asupersync").join(shown));
        let out = rustc.current_dir(&self.workspace).env_remove("RUST_BACKTRACE").output().unwrap();
        (!out.status.success()).then(|| self.evened_out(&String::from_utf8_lossy(&out.stderr), case))
    }

    fn evened_out(&self, text: &str, case: &Path) -> String {
        let case = format!("{}:", case.file_name().unwrap().to_string_lossy());
        let path = format!("crates/asupersync/tests/ui/{case}");
        let mut lines = String::new();
        let mut foreign = false;
        for line in text.lines() {
            let bare = line.trim_start();
            let kept = if let Some(at) = bare.strip_prefix("--> ").or_else(|| bare.strip_prefix("::: ")) {
                let at = at.replace('\\', "/");
                let own = at.rsplit('/').next().unwrap_or_default();
                foreign = !own.starts_with(&case);
                let shown = if foreign { self.without_position(&at) } else { own.to_string() };
                format!("  {} {shown}", &bare[..3])
            } else if let Some(rest) = source_line(bare) {
                if foreign {
                    continue;
                }
                rest
            } else {
                // Where the compiler has put a type's full name is not to be compared.
                if bare.contains("has been written to '") || bare.contains("to print the full type name") {
                    continue;
                }
                foreign = false;
                let line = line.replace(&path, &case);
                if bare.starts_with("= ") { format!("   {}", line.trim_start()) } else { line }
            };
            let _ = writeln!(lines, "{}", kept.trim_end());
        }
        // The last lines count errors and point to the manual.
        let end = lines.find("error: aborting due to").unwrap_or(lines.len());
        format!("{}\n", lines[..end].trim_end())
    }

    /// `crates/cx/src/spawn.rs` of `/home/me/asupersync/crates/cx/src/spawn.rs:71:12`.
    fn without_position(&self, at: &str) -> String {
        let path = at.split(':').next().unwrap_or_default();
        let workspace = self.workspace.to_string_lossy().replace('\\', "/");
        if let Some((_, rest)) = path.split_once("/library/") {
            return format!("RUST/library/{rest}");
        }
        path.strip_prefix(&workspace).unwrap_or(path).trim_start_matches('/').to_string()
    }
}

/// A line of source or its underline: ` 4 | let x`, `   |   ^`, `...`; with an even margin.
fn source_line(bare: &str) -> Option<String> {
    if bare.starts_with("...") {
        return Some("...".to_string());
    }
    let digits = bare.len() - bare.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = bare[digits..].trim_start_matches(' ');
    let marked = rest.starts_with('|') || digits > 0 && (rest.starts_with('+') || rest.starts_with('~'));
    marked.then(|| format!("{:>2} {rest}", &bare[..digits]))
}

/// The facade's `.rlib` among cargo's messages. One line is one message; the path holds no escapes but on Windows.
fn library(messages: &str) -> Option<String> {
    let artifact = messages.lines().rfind(|line| {
        line.contains(r#""reason":"compiler-artifact""#) && line.contains(r#""name":"asupersync""#)
    })?;
    let (_, files) = artifact.split_once(r#""filenames":["#)?;
    let (files, _) = files.split_once(']')?;
    let mut paths = files.split(',').map(|path| path.trim_matches('"').replace("\\\\", "\\"));
    paths.find(|path| path.ends_with(".rlib"))
}
