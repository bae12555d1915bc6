//! Replays as text: round trips, what was cut or changed, and the words of each failure.
use super::super::dice::Dice;
use super::*;
use trace::Choice;

/// A list such as a run might leave behind: every so often a deviation, mostly of tasks.
fn random_list(dice: &mut Dice) -> Decisions {
    let density = 1 + dice.below(20);
    let mut at = 0;
    let mut deviations = Vec::new();
    let most = if dice.below(50) == 0 { 100 } else { 8 };
    for _ in 0..dice.below(most) {
        let magnitude = dice.below(40);
        at += if dice.below(10) == 0 { dice.below(1 << magnitude) } else { dice.below(density) };
        let number = dice.next() as u32 >> dice.below(32);
        let what = match dice.below(8) {
            0 => Departure::Choice {
                what: choice_of(dice.below(5) as u8).expect("five kinds"),
                chosen: number,
            },
            1 => Departure::Task { name: dice.next() as u8, nth: number },
            _ => Departure::Task { name: dice.next() as u8, nth: 0 },
        };
        deviations.push(Deviation { at, what });
        at += 1;
    }
    let decisions = Decisions::new(at + dice.below(3), deviations);
    if dice.below(2) == 0 { decisions.of_run(dice.next() as u32) } else { decisions }
}

fn random_name(dice: &mut Dice) -> String {
    let letters: Vec<char> = "ab_:/-.%,='\" ü\n$#".chars().collect();
    (0..dice.below(12)).map(|_| letters[dice.below(letters.len() as u64) as usize]).collect()
}

#[test]
fn a_hundred_thousand_random_lists_come_back_from_both_forms() {
    let mut dice = Dice::new(1);
    for _ in 0..100_000 {
        let replay = Replay::new(random_name(&mut dice), random_list(&mut dice));
        assert_eq!(Replay::read(&replay.line()).as_ref(), Ok(&replay), "{replay:?}");
        assert_eq!(Replay::read(&replay.file("some\nwords")).as_ref(), Ok(&replay), "{replay:?}");
    }
}

#[test]
fn a_line_survives_a_shell_without_quotes() {
    let mut dice = Dice::new(2);
    for _ in 0..1000 {
        let line = Replay::new(random_name(&mut dice), random_list(&mut dice)).line();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/,%".contains(&byte);
        assert!(line.bytes().all(plain), "{line}");
    }
}

#[test]
fn a_decision_takes_less_than_two_characters_even_if_every_one_deviates() {
    let mut dice = Dice::new(3);
    let every =
        (0..10_000).map(|at| Deviation { at, what: Departure::Task { name: dice.next() as u8, nth: 0 } });
    let replay = Replay::new("all", Decisions::new(10_000, every.collect()));
    assert!(replay.line().len() < 17_000, "{}", replay.line().len());
    assert!(replay.file("").len() < 18_500, "{}", replay.file("").len());
    assert!(Replay::new("none", Decisions::usual(1 << 40)).line().len() < 40);
}

#[test]
fn the_forms_are_what_the_documentation_says() {
    let deviations = vec![
        Deviation { at: 3, what: Departure::Task { name: 0xA7, nth: 0 } },
        Deviation { at: 70, what: Departure::Choice { what: Choice::Fault, chosen: 2 } },
        Deviation { at: 71, what: Departure::Task { name: 1, nth: 1 } },
    ];
    let replay = Replay::new("bank::transfer twice", Decisions::new(118, deviations).of_run(0x5c0d_9a77));
    assert_eq!(replay.line(), "lab1,bank::transfer%20twice,118,5c0d9a77,IpwIfHgG,a0b97570");
    let file = "asupersync lab replay, version 1\n# why\nprogram: bank::transfer%20twice\ndecisions: 118\n\
                run: 5c0d9a77\n0 Ipw\n64 Px4Bg\nend: a0b97570\n";
    assert_eq!(replay.file("why"), file);
    assert_eq!(Replay::read(&format!("  LAB_REPLAY={}\n", replay.line())), Ok(replay));
}

#[test]
fn a_text_that_was_cut_anywhere_is_called_truncated() {
    let mut dice = Dice::new(4);
    for _ in 0..200 {
        let replay = Replay::new("cut", random_list(&mut dice));
        let line = replay.line();
        for end in 5..line.len() {
            assert_eq!(Replay::read(&line[..end]), Err(ReplayError::Truncated), "{}", &line[..end]);
        }
        let file = replay.file("words");
        // Without its last newline it is still whole.
        for end in TITLE.len() + 2..file.len() - 1 {
            let found = Replay::read(&file[..end]);
            assert!(found == Err(ReplayError::Truncated), "{:?}: {found:?}", &file[..end]);
        }
    }
}

#[test]
fn a_text_with_another_character_anywhere_is_never_read_as_another_list() {
    let mut dice = Dice::new(5);
    for _ in 0..300 {
        let replay = Replay::new("changed", random_list(&mut dice));
        let line = replay.line();
        for at in 5..line.len() {
            let other = (b'0' + dice.below(75) as u8) as char;
            let changed = format!("{}{other}{}", &line[..at], &line[at + 1..]);
            match Replay::read(&changed) {
                Ok(same) => assert_eq!((changed, same), (line.clone(), replay.clone())),
                // A comma that is gone takes a field with it.
                Err(error) => {
                    assert!(error == ReplayError::Corrupted || &line[at..=at] == ",", "{changed}: {error}")
                }
            }
        }
    }
}

#[test]
fn every_other_failure_has_words_of_its_own() {
    for garbage in ["", "hello", "lab", "labour,x,1,-,,00000000", "0x1234", "{\"version\": 1}", "\u{0}\u{1}"]
    {
        assert_eq!(Replay::read(garbage), Err(ReplayError::NotAReplay), "{garbage:?}");
    }
    assert_eq!(Replay::read("lab2,x,1,-,,00000000"), Err(ReplayError::OtherVersion { found: 2 }));
    let newer = Replay::new("x", Decisions::usual(1)).file("").replace("version 1", "version 17");
    assert_eq!(Replay::read(&newer), Err(ReplayError::OtherVersion { found: 17 }));
    let other = Replay::new("this", Decisions::usual(1)).decisions_of("that");
    let other_program = ReplayError::OtherProgram { recorded: "this".into(), asked: "that".into() };
    assert_eq!(other, Err(other_program.clone()));
    let errors = [
        ReplayError::NotAReplay,
        ReplayError::OtherVersion { found: 2 },
        ReplayError::Truncated,
        ReplayError::Corrupted,
        other_program,
    ];
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(texts.iter().all(|text| text.starts_with("failed to ") && !text.ends_with('.')));
    assert!((1..texts.len()).all(|at| !texts[..at].contains(&texts[at])));
}

#[test]
fn a_comment_can_be_changed_and_a_line_cannot() {
    let mut dice = Dice::new(6);
    let replay = Replay::new("p", random_list(&mut dice));
    let file = replay.file("one");
    assert_eq!(Replay::read(&file.replace("# one", "# two\n\n#three")), Ok(replay));
    assert_eq!(Replay::read(&file.replace("program: p", "program: q")), Err(ReplayError::Corrupted));
    assert_eq!(Replay::read(&format!("{file}more: 1")), Err(ReplayError::Corrupted));
}
