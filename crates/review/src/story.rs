//! Tests of the review as a whole: a story told from start to end, every rule broken once, and commands at random.
//!
//! What the rules let pass is audited by [`crate::audit`], which shares nothing with them.

use crate::act::*;
use crate::case::{Case, Notice, Phase, Standing};
use crate::counts::Counts;
use crate::harmonised;
use crate::metered::Compared;
use crate::procedure::{Basis, Respite};
use crate::rules::Rule;
use crate::seal;
use crate::stage::*;
use crate::words::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_whole_review_leaves_nothing_to_find() {
    let mut stage = Stage::in_effect();
    assert_eq!(stage.case().in_force(stage.now).count(), 1);
    // The use comes back in a linked account, the customer appeals, and a part of a second decision is lifted.
    let finding = text("linked");
    stage.must("tribune", Act::FollowUp { id: name("f1"), account: Some(name("a2")), finding });
    stage.must("ann", Act::SettleFollowUp { id: name("f1"), note: text("it is") });
    let both = [target("a1", "speech", &[Switch::Write]), target("a2", "object-storage", &[Switch::Write])];
    stage.must("ann", Act::Propose(decision("d2", "disable", &both)));
    stage.approve("d2");
    stage.safe("second statement");
    stage.must("ann", serve("d2", "second statement"));
    stage.later(3);
    stage.must("tribune", stage.effect("d2"));
    assert_eq!(stage.case().in_force(stage.now).count(), 3);
    let appeal = Appeal { id: name("p1"), decision: name("d2"), ground: text("ground") };
    stage.must("customer", Act::Appeal(appeal));
    for panel in ["eve", "fay"] {
        let outcome = AppealOutcome::UpheldInPart;
        stage.must(panel, Act::DecideAppeal { id: name("p1"), outcome, reasons: text("reasons") });
    }
    stage.must("ann", Act::Propose(lift("d3", "d2", &both[..1])));
    stage.approve("d3");
    stage.must("tribune", stage.effect("d3"));
    assert_eq!(stage.case().in_force(stage.now).count(), 2);
    for days in [30, 60, 90] {
        stage.later(days);
        let at = stage.case().decisions[&name::<DecisionId>("d1")].checks.len();
        for decision in ["d1", "d2"] {
            let days = [30, 90, 180][at];
            let (use_ended, rest_as_before) = (true, true);
            stage.must("ann", Act::Check { decision: name(decision), days, use_ended, rest_as_before });
        }
    }
    stage.must("ann", Act::Close(closing()));
    assert_eq!(stage.case().phase, Phase::Closed);
    stage.safe("to employees");
    stage.must("ann", tell_employees("to employees"));
    assert!(!stage.case().owes_employees(), "of both statements and of the end at once");
    stage.safe("correction");
    stage.must("ann", Act::Correct { statement: text("statement"), correction: text("correction") });
    assert!(stage.case().owes_employees(), "what was told was wrong, too");
    stage.safe("to employees again");
    stage.must("ann", tell_employees("to employees again"));
    stage.later(1);
    stage.must("ines", item("new", Basis::Document, "leak"));
    stage.must("ines", Act::Reopen { material: name("new") });
    assert_eq!(stage.case().phase, Phase::Open);
    assert_eq!(stage.breaches(), [] as [&str; 0]);
    let kinds = |kind: &str| {
        let lines = stage.public.iter().map(|entry| String::from_utf8(entry.bytes().unwrap()).unwrap());
        lines.filter(|line| line.contains(&format!("{{\"entry\":\"{kind}\""))).count()
    };
    assert_eq!(["decision", "statement", "correction"].map(kinds), [3, 2, 1], "what is decided is public at once");
    assert_eq!(Case::fold(&stage.events, &stage.procedure).as_ref(), Some(stage.case()), "state is a fold");
    let text = serde_json::to_string(&stage.events).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Event>>(&text).unwrap(), stage.events, "events read back");
}

#[test]
fn a_command_repeated_changes_nothing_and_a_clock_set_back_is_held() {
    let mut stage = Stage::set();
    let command = Command { id: name("same"), at: stage.now, by: actor("ann"), act: meters("m9", "a1") };
    assert_eq!(stage.send(command.clone()), Ok(true));
    let before = stage.case().clone();
    assert_eq!(stage.send(Command { at: stage.now.plus_days(9), ..command }), Ok(false));
    assert_eq!(stage.case(), &before);
    stage.later(2);
    stage.must("ann", meters("m10", "a1"));
    stage.now = START;
    stage.must("ann", meters("m11", "a1"));
    assert!(stage.events.windows(2).all(|two| two[0].command.at <= two[1].command.at));
}

#[test]
fn a_clock_that_jumped_ahead_and_came_back_has_let_no_time_run_out() {
    let mut stage = Stage::served();
    let now = stage.now;
    stage.now = now.plus_days(400);
    stage.must("ann", meters("m9", "a1"));
    stage.now = now;
    assert_eq!(stage.act("tribune", stage.effect("d1")).unwrap_err().rule, Rule::NoticeFirst);
    let look_again = stage.preview("d1");
    stage.later(1);
    assert_eq!(stage.act("tribune", look_again), Ok(true), "the rest goes on");
    stage.must("tribune", stage.effect("d1"));
    assert_eq!(stage.case().in_force(stage.now).count(), 1);
    assert_eq!(stage.breaches(), [] as [&str; 0]);
    // Whoever left did so for good, whatever the clock says.
    stage.roster.members.get_mut(&name::<PersonId>("ann")).unwrap().left = Some(now.plus_days(2));
    stage.now = now.plus_days(1);
    assert_eq!(stage.act("ann", meters("m10", "a1")).unwrap_err().rule, Rule::Present);
}

#[test]
fn a_declared_use_is_answered_by_two_after_every_step_and_its_limit_is_watched() {
    let mut stage = Stage::declared();
    assert!(stage.case().accounts.is_empty() && stage.case().is_declared_use());
    let limit = || DeclaredUse::Conditions { calls_per_hour: 50_000, until: START.plus_days(365) };
    let say = |may: DeclaredUse| Act::DecideUse { may, reasons: text("reasons") };
    assert_eq!(stage.act("ben", say(limit())).unwrap_err().rule, Rule::StepsDone);
    stage.do_steps();
    let past = DeclaredUse::Conditions { calls_per_hour: 1, until: START };
    assert_eq!(stage.act("ben", say(past)).unwrap_err().rule, Rule::Bounded);
    let turn = |stage: &Stage| crate::waits::waits(stage.case(), &stage.procedure);
    assert!(turn(&stage).iter().any(|wait| wait.what == "two people’s word on the declared use"));
    stage.must("ben", say(limit()));
    assert_eq!(stage.act("dan", say(limit())).unwrap_err().rule, Rule::NotOneChain, "both answer to one");
    stage.must("cleo", say(DeclaredUse::Rejected));
    let end = |declared_use: Option<DeclaredUse>| Act::Close(Closing { declared_use, ..closing() });
    assert_eq!(stage.act("ann", end(Some(limit()))).unwrap_err().rule, Rule::DeclaredUse, "they differ");
    stage.must("cleo", say(limit()));
    assert_eq!(stage.act("ann", end(Some(DeclaredUse::Approved))).unwrap_err().rule, Rule::DeclaredUse);
    assert_eq!(stage.act("ann", end(None)).unwrap_err().rule, Rule::DeclaredUse);
    stage.must("ann", end(Some(limit())));
    let (calls, until) = crate::clocks::limit(stage.case()).unwrap();
    assert_eq!((calls, until), (50_000, START.plus_days(365)));
    assert_eq!(stage.breaches(), [] as [&str; 0]);
    // Of a workload nobody says that it may go on, and a declaration opens no case of one.
    assert_eq!(Stage::heard().act("ben", say(limit())).unwrap_err().rule, Rule::DeclaredUse);
    let Act::Open(mut opening) = opening_of_declared("s1") else { unreachable!() };
    opening.kind = Kind::Workload;
    opening.accounts = BTreeSet::from([name("a1")]);
    assert_eq!(Stage::empty().act("ann", Act::Open(opening)).unwrap_err().rule, Rule::DeclaredUse);
    let mut twice = Stage::empty();
    twice.elsewhere.declarations.insert(name("s1"), name("case-0"));
    assert_eq!(twice.act("ann", opening_of_declared("s1")).unwrap_err().rule, Rule::OneCase);
}

#[test]
fn the_word_of_whoever_goes_or_has_a_conflict_counts_no_more() {
    let waive = || Act::WaiveHearing { reason: text("flight") };
    let mut stage = Stage::set();
    stage.do_steps();
    stage.must("ben", waive());
    stage.must("cleo", waive());
    assert!(stage.case().heard(stage.now));
    stage.roster.members.get_mut(&name::<PersonId>("cleo")).unwrap().left = Some(stage.now);
    let all = stage.determination(Standard::MoreLikelyThanNot);
    assert_eq!(stage.act("ann", all.clone()).unwrap_err().rule, Rule::StillApproved, "cleo left");
    stage.must("ann", Act::Release { person: name("cleo") });
    assert_eq!(stage.act("ann", all.clone()).unwrap_err().rule, Rule::Heard, "one alone waives nothing");
    stage.must("dan", waive());
    stage.must("ann", all);
    // An appeal: the first of the panel goes before the second speaks.
    let mut appealed = Stage::in_effect();
    appealed.must("customer", Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("g") }));
    let vote = || Act::DecideAppeal { id: name("p1"), outcome: AppealOutcome::Rejected, reasons: text("r") };
    appealed.must("eve", vote());
    appealed.must("eve", Act::Declare { conflict: Some(text("cousin")) });
    appealed.must("fay", vote());
    let outcome = |stage: &Stage| stage.case().appeals[&name::<AppealId>("p1")].outcome;
    assert_eq!(outcome(&appealed), None, "one alone decides nothing");
    appealed.must("gus", vote());
    assert_eq!(outcome(&appealed), Some(AppealOutcome::Rejected));
    assert_eq!(appealed.breaches(), [] as [&str; 0]);
}

#[test]
fn a_decision_is_looked_at_again_on_its_day_and_stands_or_is_lifted() {
    let mut stage = Stage::in_effect();
    let clock = |stage: &Stage| {
        let all = crate::clocks::clocks(stage.case(), &stage.procedure);
        let again = all.iter().filter(|clock| clock.kind == "look again at a decision");
        again.map(|clock| (clock.due, clock.done)).collect::<Vec<_>>()
    };
    let due = stage.case().decisions[&name::<DecisionId>("d1")].review.unwrap();
    assert_eq!(clock(&stage), [(due, None)]);
    stage.now = due;
    let again = |next: Option<Moment>| Act::LookAgain { decision: name("d1"), reasons: text("it stands"), next };
    assert_eq!(stage.act("ann", again(None)).unwrap_err().rule, Rule::Bounded);
    assert_eq!(stage.act("ann", again(Some(due))).unwrap_err().rule, Rule::Bounded);
    let next = due.plus_days(90);
    stage.must("ann", again(Some(next)));
    assert_eq!(clock(&stage), [(due, Some(due)), (next, None)]);
    assert!(crate::waits::waits(stage.case(), &stage.procedure).iter().any(|wait| wait.due == Some(next)));
    assert_eq!(Stage::served().act("ann", again(Some(next))).unwrap_err().rule, Rule::CheckDue);
}

#[test]
fn an_emergency_needs_two_people_and_a_notice_and_lapses() {
    let mut stage = Stage::set();
    stage.must("ann", stage.determination(Standard::ReasonableSuspicion));
    stage.must("ann", Act::Propose(Decision { emergency: true, review: None, ..read_only("d1") }));
    stage.must("ben", stage.approval("ben", "d1"));
    assert_eq!(stage.act("tribune", stage.effect("d1")).unwrap_err().rule, Rule::Approved);
    stage.must("cleo", stage.approval("cleo", "d1"));
    assert_eq!(stage.act("tribune", stage.effect("d1")).unwrap_err().rule, Rule::NoticeFirst);
    stage.safe("statement");
    stage.must("ann", serve("d1", "statement"));
    stage.must("tribune", stage.effect("d1"));
    assert_eq!(stage.case().in_force(stage.now).count(), 1);
    assert_eq!(stage.case().in_force(stage.now.plus_days(10)).count(), 0, "it lapses by itself");
    assert_eq!(stage.act("tribune", Act::RunOut { decision: name("d1") }).unwrap_err().rule, Rule::Over);
    stage.later(10);
    stage.must("tribune", Act::RunOut { decision: name("d1") });
    assert_eq!(stage.case().decisions[&name::<DecisionId>("d1")].standing, Standing::Over);
    assert_eq!(stage.breaches(), [] as [&str; 0]);
}

#[test]
fn what_took_effect_is_held_against_its_preview_and_nothing_else_is_touched() {
    let mut stage = Stage::in_effect();
    let early = Act::Compare { decision: name("d1"), metered: metered(stage.now.plus_days(-3), 3) };
    assert_eq!(stage.act("tribune", early).unwrap_err().rule, Rule::MeteredFits, "days before the effect");
    stage.later(9);
    let mut after = metered(stage.now.plus_days(-8), 7);
    after.lines.retain(|line| line.account.as_str() != "a1" || line.operation.as_str() != "storage.write");
    stage.must("tribune", Act::Compare { decision: name("d1"), metered: after.clone() });
    let of = |stage: &Stage| stage.case().decisions[&name::<DecisionId>("d1")].compared.last().unwrap().1;
    let all_is_well = Compared { stopped: 1, still: 0, as_before: 2, less: 0 };
    assert_eq!(of(&stage), all_is_well);
    after.lines.truncate(1);
    stage.must("ann", Act::Compare { decision: name("d1"), metered: after });
    assert_eq!(of(&stage), Compared { as_before: 1, less: 1, ..all_is_well }, "a2 is hindered, or gone");
    let public = String::from_utf8(stage.public.last().unwrap().bytes().unwrap()).unwrap();
    assert!(public.contains(r#""kinds":{"stopped":1,"still":0,"as_before":1,"less":1}"#), "{public}");
    assert_eq!(stage.breaches(), [] as [&str; 0]);
}

#[test]
fn what_people_are_to_end_is_attested_by_whose_task_it_is_before_the_case_closes() {
    let mut stage = Stage::determined();
    stage.must("ann", Act::Propose(Decision { review: None, ..decision("d1", "end-human-services", &[]) }));
    stage.approve("d1");
    stage.safe("statement");
    stage.must("ann", serve("d1", "statement"));
    stage.later(3);
    stage.must("tribune", stage.effect("d1"));
    let entrust = |days| Act::Entrust { decision: name("d1"), to: name("hal"), due: START.plus_days(days) };
    let attest = || Act::Attest { decision: name("d1"), note: text("the engineers left") };
    assert_eq!(stage.act("hal", attest()).unwrap_err().rule, Rule::Entrusted, "not entrusted yet");
    assert_eq!(stage.act("ann", entrust(1)).unwrap_err().rule, Rule::Entrusted, "a date that is over");
    stage.must("ann", entrust(60));
    assert_eq!(stage.act("ann", attest()).unwrap_err().rule, Rule::Entrusted, "the task of another");
    for days in [30, 90, 180] {
        stage.now = stage.case().decisions[&name::<DecisionId>("d1")].effect.unwrap().plus_days(days.into());
        stage.must("ann", Act::Check { decision: name("d1"), days, use_ended: true, rest_as_before: true });
    }
    assert_eq!(stage.act("ann", Act::Close(closing())).unwrap_err().rule, Rule::NothingLeft);
    stage.must("hal", attest());
    assert_eq!(stage.act("hal", attest()).unwrap_err().rule, Rule::Entrusted, "once");
    stage.must("ann", Act::Close(closing()));
    assert_eq!(stage.breaches(), [] as [&str; 0]);
}

#[test]
fn a_check_that_finds_the_use_going_on_is_a_follow_up_that_somebody_settles() {
    let mut stage = Stage::in_effect();
    for (days, use_ended, rest_as_before) in [(30, false, true), (90, true, true), (180, true, false)] {
        stage.later(91);
        stage.must("ann", Act::Check { decision: name("d1"), days, use_ended, rest_as_before });
    }
    for follow_up in ["check d1 30", "check d1 180"] {
        assert_eq!(stage.act("ann", Act::Close(closing())).unwrap_err().rule, Rule::NothingLeft);
        stage.must("ann", Act::SettleFollowUp { id: name(follow_up), note: text("what was done about it") });
    }
    stage.must("ann", Act::Close(closing()));
    assert_eq!(stage.breaches(), [] as [&str; 0]);
}

#[test]
fn a_late_appeal_is_recorded_and_two_may_admit_it() {
    let mut stage = Stage::in_effect();
    let served = stage.case().decisions[&name::<DecisionId>("d1")].notice.unwrap().at;
    stage.now = Moment(served.end_of_months(6).0 + 1);
    stage.must("customer", Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("g") }));
    let decide = || Act::DecideAppeal { id: name("p1"), outcome: AppealOutcome::Upheld, reasons: text("r") };
    assert_eq!(stage.act("eve", decide()).unwrap_err().rule, Rule::InTime);
    for panel in ["eve", "fay"] {
        stage.must(panel, Act::AdmitAppeal { id: name("p1"), reason: text("ill") });
    }
    stage.must("eve", decide());
    stage.must("fay", decide());
    assert_eq!(stage.case().appeals[&name::<AppealId>("p1")].outcome, Some(AppealOutcome::Upheld));
}

/// In effect, checked to the end, and closed.
fn closed() -> Stage {
    let mut stage = Stage::in_effect();
    for days in [30, 90, 180] {
        stage.now = stage.case().decisions[&name::<DecisionId>("d1")].effect.unwrap().plus_days(days.into());
        let (use_ended, rest_as_before) = (true, true);
        stage.must("ann", Act::Check { decision: name("d1"), days, use_ended, rest_as_before });
    }
    stage.must("ann", Act::Close(closing()));
    stage
}

#[test]
fn an_appeal_is_heard_after_the_case_is_closed_and_what_it_undoes_is_undone_before_it_closes_again() {
    let appeal = || Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("g") });
    let decide = |outcome| Act::DecideAppeal { id: name("p1"), outcome, reasons: text("r") };
    let mut stage = closed();
    stage.must("customer", appeal());
    assert_eq!(stage.case().phase, Phase::Open);
    assert!(crate::waits::waits(stage.case(), &stage.procedure).iter().any(|wait| wait.what.contains("p1")));
    assert_eq!(stage.act("ann", Act::Close(closing())).unwrap_err().rule, Rule::NothingLeft);
    for panel in ["eve", "fay"] {
        stage.must(panel, decide(AppealOutcome::Upheld));
    }
    assert_eq!(stage.act("ann", Act::Close(closing())).unwrap_err().rule, Rule::NothingLeft, "nothing is lifted");
    stage.must("ann", Act::Propose(lift("d2", "d1", &[])));
    stage.approve("d2");
    stage.must("tribune", stage.effect("d2"));
    stage.must("ann", Act::Close(closing()));
    assert_eq!(stage.breaches(), [] as [&str; 0]);
    // One that comes too late is recorded, and holds nothing up unless two admit it.
    let mut late = closed();
    late.later(30);
    late.must("customer", appeal());
    assert_eq!(late.act("eve", decide(AppealOutcome::Upheld)).unwrap_err().rule, Rule::InTime);
    late.must("ann", Act::Close(closing()));
    assert_eq!(late.breaches(), [] as [&str; 0]);
}

#[test]
fn what_is_upheld_whole_is_lifted_whole() {
    let mut stage = Stage::determined();
    let both = [target("a1", "object-storage", &[Switch::Write]), target("a1", "speech", &[Switch::Write])];
    stage.must("ann", Act::Propose(decision("d1", "read-only", &both)));
    stage.must("tribune", stage.preview("d1"));
    stage.approve("d1");
    stage.safe("statement");
    stage.must("ann", serve("d1", "statement"));
    stage.later(3);
    stage.must("tribune", stage.effect("d1"));
    stage.must("customer", Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("g") }));
    for panel in ["eve", "fay"] {
        let outcome = AppealOutcome::Upheld;
        stage.must(panel, Act::DecideAppeal { id: name("p1"), outcome, reasons: text("r") });
    }
    stage.must("ann", Act::Propose(lift("d2", "d1", &both[..1])));
    stage.approve("d2");
    stage.must("tribune", stage.effect("d2"));
    for days in [30, 90, 180] {
        stage.now = stage.case().decisions[&name::<DecisionId>("d1")].effect.unwrap().plus_days(days.into());
        let (use_ended, rest_as_before) = (true, true);
        stage.must("ann", Act::Check { decision: name("d1"), days, use_ended, rest_as_before });
    }
    let refused = stage.act("ann", Act::Close(closing())).unwrap_err();
    assert!(refused.to_string().contains("not carried out"), "{refused}");
}

#[test]
fn a_case_that_somebody_outside_waits_for_does_not_go_on_in_another() {
    let merge = || Act::GoOnIn { other: name("case-2") };
    let refused = |stage: &mut Stage| stage.act("ann", merge()).unwrap_err();
    let mut asked = Stage::set();
    asked.ask();
    assert_eq!(refused(&mut asked).rule, Rule::NothingLeft);
    asked.must("customer", Act::Answer { id: name("q1"), text: None });
    asked.must("tribune", Act::NoteLeaving { finding: text("leaves") });
    assert!(refused(&mut asked).to_string().contains("data leaves"));
    for decider in ["ben", "cleo"] {
        asked.must(decider, Act::DecideLeaving { choice: Leaving::LetGo, reasons: text("r") });
    }
    asked.must("tribune", Act::FollowUp { id: name("f1"), account: None, finding: text("f") });
    assert!(refused(&mut asked).to_string().contains("follow-up"));
    asked.must("ann", Act::SettleFollowUp { id: name("f1"), note: text("n") });
    asked.must("ann", merge());
    // Over, and open to an appeal for months.
    let mut served = Stage::in_effect();
    served.must("ann", Act::Propose(lift("d2", "d1", &[])));
    served.approve("d2");
    served.must("tribune", served.effect("d2"));
    served.safe("to employees");
    served.must("ann", tell_employees("to employees"));
    assert!(refused(&mut served).to_string().contains("appealed"));
}

#[test]
fn whoever_has_a_conflict_steers_nothing() {
    let mut stage = Stage::in_effect();
    stage.later(30);
    let check = || {
        let (use_ended, rest_as_before) = (true, true);
        Act::Check { decision: name("d1"), days: 30, use_ended, rest_as_before }
    };
    assert_eq!(Stage::empty().act("sal", opening()).unwrap_err().rule, Rule::NotClose, "nor opens a case of it");
    let acts = [
        Act::Assign { person: name("dan"), role: Role::Decider },
        Act::Release { person: name("ann") },
        check(),
        Act::GoOnIn { other: name("case-2") },
        Act::TakeIn {
            other: name("case-2"),
            accounts: BTreeSet::new(),
            sources: BTreeSet::new(),
            hands: BTreeMap::new(),
        },
    ];
    // On the customer's account team, and without a part.
    for act in &acts {
        assert_eq!(stage.act("sal", act.clone()).unwrap_err().rule, Rule::NotClose, "{act:?}");
    }
    stage.must("zoe", Act::Declare { conflict: Some(text("cousin")) });
    for act in &acts {
        assert_eq!(stage.act("zoe", act.clone()).unwrap_err().rule, Rule::NoConflict, "{act:?}");
    }
    stage.must("zoe", Act::Release { person: name("zoe") });
    stage.must("ann", check());
}

#[test]
fn a_document_that_nobody_stands_for_shows_nothing_alone() {
    let mut stage = Stage::heard();
    let Act::AddEvidence(mut paper) = item("paper", Basis::Document, "unknown") else { panic!() };
    paper.anonymous = true;
    stage.must("ines", Act::AddEvidence(paper));
    let alone = stage.determination_but("E3", |one| one.evidence = BTreeSet::from([name("paper")]));
    assert_eq!(stage.act("ann", alone).unwrap_err().rule, Rule::TwoSources);
    let with = stage.determination_but("E3", |one| one.evidence = BTreeSet::from([name("paper"), name("told1")]));
    stage.must("ann", with);
    assert_eq!(stage.breaches(), [] as [&str; 0]);
}

#[test]
fn no_emergency_is_for_good_or_follows_another() {
    let mut stage = Stage::set();
    stage.must("ann", stage.determination(Standard::ReasonableSuspicion));
    let targets = [target("a1", "object-storage", &[Switch::Write])];
    let emergency =
        |id, intervention| Decision { emergency: true, review: None, ..decision(id, intervention, &targets) };
    assert_eq!(stage.act("ann", Act::Propose(emergency("d0", "terminate"))).unwrap_err().rule, Rule::Bounded);
    stage.must("ann", Act::Propose(emergency("d1", "read-only")));
    stage.approve("d1");
    stage.safe("statement");
    stage.must("ann", serve("d1", "statement"));
    stage.must("tribune", stage.effect("d1"));
    stage.later(10);
    stage.must("tribune", Act::RunOut { decision: name("d1") });
    let refused = stage.act("ann", Act::Propose(emergency("d2", "disable"))).unwrap_err();
    assert_eq!(refused.rule, Rule::Bounded, "{refused}");
    // Its end is sealed with it: nobody makes it longer than ten days.
    let mut endless = Stage::set();
    endless.must("ann", endless.determination(Standard::ReasonableSuspicion));
    let ends = Some(endless.now.plus_days(11));
    let refused = endless.act("ann", Act::Propose(Decision { ends, ..emergency("d1", "read-only") })).unwrap_err();
    assert_eq!(refused.rule, Rule::Bounded, "{refused}");
}

#[test]
fn counsels_opinion_is_counsels() {
    let hold = || {
        let targets = [target("a1", "object-storage", &[Switch::Export])];
        Act::Propose(Decision { ends: Some(START.plus_days(30)), ..decision("d1", "hold-export", &targets) })
    };
    let mut stage = Stage::determined();
    stage.must("ann", Act::Release { person: name("hal") });
    stage.must("ann", hold());
    // An opinion of somebody who is not counsel in the case.
    let mut other = Stage::determined();
    other.case.as_mut().unwrap().counselled = false;
    other.must("ann", item("view", Basis::Opinion, "expert"));
    other.must("hal", Act::HandleEvidence { evidence: name("view"), note: text("seen") });
    assert_eq!(other.act("ann", hold()).unwrap_err().rule, Rule::Counsel);
    other.must("hal", item("advice", Basis::Opinion, "counsel"));
    other.must("ann", hold());
}

#[test]
fn a_conflict_stays_declared_and_who_went_does_not_stand_for_what_they_approved() {
    let mut stage = Stage::set();
    stage.must("zoe", Act::Declare { conflict: Some(text("cousin")) });
    assert_eq!(stage.act("zoe", Act::Declare { conflict: None }).unwrap_err().rule, Rule::NoConflict);
    let mut served = Stage::served_later();
    served.must("ann", Act::Release { person: name("ben") });
    assert_eq!(served.act("tribune", served.effect("d1")).unwrap_err().rule, Rule::StillApproved);
}

#[test]
fn what_an_appeal_undid_before_it_took_effect_takes_none() {
    let mut stage = Stage::served_later();
    stage.must("customer", Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("g") }));
    for panel in ["eve", "fay"] {
        let outcome = AppealOutcome::Upheld;
        stage.must(panel, Act::DecideAppeal { id: name("p1"), outcome, reasons: text("r") });
    }
    assert_eq!(stage.act("tribune", stage.effect("d1")).unwrap_err().rule, Rule::Undecided);
    // In force already, it waits to be carried out, and is not put off.
    let mut late = Stage::in_effect();
    late.must("customer", Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("g") }));
    for panel in ["eve", "fay"] {
        let outcome = AppealOutcome::Upheld;
        late.must(panel, Act::DecideAppeal { id: name("p1"), outcome, reasons: text("r") });
    }
    let waits = crate::waits::waits(late.case(), &late.procedure);
    assert!(waits.iter().any(|wait| wait.what == "carrying out appeal p1"), "{waits:?}");
    let off = Act::Hold { until: late.now.plus_days(9), reason: text("later") };
    assert_eq!(late.act("ann", off).unwrap_err().rule, Rule::Held);
}

#[test]
fn emergencies_prepared_side_by_side_take_effect_once() {
    let mut stage = Stage::set();
    stage.must("ann", stage.determination(Standard::ReasonableSuspicion));
    for id in ["d1", "d2"] {
        stage.must("ann", Act::Propose(Decision { emergency: true, review: None, ..read_only(id) }));
        stage.approve(id);
        stage.safe(id);
        stage.must("ann", serve(id, id));
    }
    stage.must("tribune", stage.effect("d1"));
    stage.later(10);
    stage.must("tribune", Act::RunOut { decision: name("d1") });
    assert_eq!(stage.act("tribune", stage.effect("d2")).unwrap_err().rule, Rule::Bounded);
}

#[test]
fn a_case_that_goes_on_for_a_follow_up_is_not_reviewed_anew_by_the_same() {
    let mut stage = closed();
    assert_eq!(
        stage.act("sal", Act::FollowUp { id: name("f0"), account: None, finding: text("f") }).unwrap_err().rule,
        Rule::NotClose
    );
    stage.must("tribune", Act::FollowUp { id: name("f1"), account: None, finding: text("f") });
    assert_eq!(
        stage.act("ann", stage.determination(Standard::ClearAndConvincing)).unwrap_err().rule,
        Rule::NewMaterial
    );
    assert_eq!(stage.act("ann", Act::Propose(read_only("d9"))).unwrap_err().rule, Rule::NewMaterial);
    stage.must("ann", Act::SettleFollowUp { id: name("f1"), note: text("n") });
    stage.must("ann", Act::Close(closing()));
    // Reopened on new material: others, who ask and answer anew.
    stage.later(1);
    stage.must("ines", meters("m9", "a1"));
    stage.must("ines", Act::Reopen { material: name("m9") });
    assert!(!stage.case().heard(stage.now));
    assert_eq!(stage.act("ines", Act::Propose(read_only("d9"))).unwrap_err().rule, Rule::OnDetermination);
}

#[test]
fn what_leaves_is_noted_once_and_an_answer_is_the_customers() {
    let mut stage = Stage::set();
    stage.must("tribune", Act::NoteLeaving { finding: text("leaves") });
    assert_eq!(stage.act("tribune", Act::NoteLeaving { finding: text("more") }).unwrap_err().rule, Rule::Once);
    for decider in ["ben", "cleo"] {
        stage.must(decider, Act::DecideLeaving { choice: Leaving::LetGo, reasons: text("r") });
    }
    stage.must("tribune", Act::NoteLeaving { finding: text("more") });
    let answer = || item("answer", Basis::CustomerAnswer, "customer");
    assert_eq!(stage.act("ann", answer()).unwrap_err().rule, Rule::Known, "nobody was asked");
    stage.ask();
    assert_eq!(stage.act("ann", answer()).unwrap_err().rule, Rule::Known, "nobody answered yet");
    let refusal = || Act::Answer { id: name("q1"), text: None };
    assert_eq!(stage.act("tribune", refusal()).unwrap_err().rule, Rule::Somebody);
    stage.must("customer", refusal());
    stage.must("ann", answer());
}

#[test]
fn an_account_of_another_customer_is_no_target() {
    let mut stage = Stage::determined();
    stage.must("ann", Act::Propose(read_only("d1")));
    let Act::Preview { decision, mut metered } = stage.preview("d1") else { panic!() };
    metered.accounts.insert(name("a1"), name("another"));
    stage.must("tribune", Act::Preview { decision, metered });
    assert_eq!(stage.act("ben", stage.approval("ben", "d1")).unwrap_err().rule, Rule::Narrow);
}

#[test]
fn the_procedure_of_the_pack_is_well_formed_and_faults_are_named() {
    assert_eq!(procedure().faults(), [] as [&str; 0]);
    let mut wrong = procedure();
    wrong.approvals = 1;
    wrong.elements[0].rests_on = BTreeSet::from([Basis::Opinion]);
    wrong.interventions[1].ends_after_days = None;
    wrong.steps.push(wrong.steps[0].clone());
    let faults = wrong.faults();
    assert_eq!(faults.len(), 4, "{faults:?}");
}

/// How each rule is broken: what leads up to it, and the command that it alone is against.
fn broken(rule: Rule) -> (Stage, &'static str, Act) {
    let determine = |stage: Stage, act: Act| (stage, "ann", act);
    let propose = |decision: Decision| (Stage::determined(), "ann", Act::Propose(decision));
    let write = |account: &str, service: &str| target(account, service, &[Switch::Write]);
    match rule {
        Rule::Begins => (Stage::set(), "tribune", opening()),
        Rule::OneCase => {
            let mut stage = Stage::empty();
            stage.elsewhere.accounts.insert(name("a2"), name("case-0"));
            (stage, "tribune", opening())
        }
        Rule::GoesOn => {
            let mut stage = Stage::set();
            stage.must("ann", Act::GoOnIn { other: name("case-2") });
            (stage, "ben", Act::WaiveHearing { reason: text("r") })
        }
        Rule::Somebody => (Stage::served_later(), "customer", Stage::served_later().effect("d1")),
        Rule::Present => {
            let mut stage = Stage::set();
            stage.roster.members.get_mut(&name::<PersonId>("ann")).unwrap().left = Some(START);
            (stage, "ann", meters("m9", "a1"))
        }
        Rule::HasPart => (Stage::set(), "hal", Act::WaiveHearing { reason: text("r") }),
        Rule::Declared => {
            let stage = Stage::proposed();
            let act = stage.approval("zoe", "d1");
            (stage, "zoe", act)
        }
        Rule::NoConflict => {
            let mut stage = Stage::proposed();
            stage.must("ben", Act::Declare { conflict: Some(text("cousin")) });
            let act = stage.approval("ben", "d1");
            (stage, "ben", act)
        }
        Rule::NotClose => {
            let mut stage = Stage::proposed();
            let team = stage.roster.account_teams.get_mut(&name::<CustomerId>("acme")).unwrap();
            team.sponsor = Some(name("ben"));
            let act = stage.approval("ben", "d1");
            (stage, "ben", act)
        }
        Rule::Fresh => {
            let mut stage = Stage::heard();
            stage.must("ann", stage.determination_but("E5", |one| one.answer = Established::NotEstablished));
            stage.must("ann", Act::Close(closing()));
            stage.later(1);
            stage.must("ines", item("new", Basis::Document, "leak"));
            stage.must("ines", Act::Reopen { material: name("new") });
            (stage, "ines", Act::Assign { person: name("ann"), role: Role::Reviewer })
        }
        Rule::Known => (Stage::set(), "ann", Act::HandleEvidence { evidence: name("none"), note: text("n") }),
        Rule::Once => (Stage::set(), "ann", meters("m1", "a1")),
        Rule::StepOfOthers => (Stage::set(), "ann", Act::CompleteStep { step: name("counsel"), note: text("n") }),
        Rule::SourceSafe => (Stage::approved(), "ann", serve("d1", "s")),
        Rule::TwoEyes => (Stage::set(), "ann", Act::ConfirmSafe { text: text("t"), written_by: name("ann") }),
        Rule::TimeToAnswer => {
            let mut stage = Stage::set();
            stage.safe("question");
            let until = stage.now.plus_days(13);
            (stage, "ann", Act::Ask { id: name("q1"), text: text("question"), until })
        }
        Rule::EveryElement => {
            let stage = Stage::heard();
            let Act::Determine(mut all) = stage.determination(Standard::MoreLikelyThanNot) else { unreachable!() };
            all.elements.remove(&name::<ElementId>("E3"));
            determine(stage, Act::Determine(all))
        }
        Rule::Shown => {
            let stage = Stage::heard();
            let act = stage.determination_but("E1", |one| one.evidence = BTreeSet::from([name("m1"), name("none")]));
            determine(stage, act)
        }
        Rule::Admissible => {
            let stage = Stage::heard();
            let act = stage.determination_but("E3", |one| one.evidence.extend([name("m1")]));
            determine(stage, act)
        }
        Rule::TwoSources => {
            let stage = Stage::heard();
            let act =
                stage.determination_but("E3", |one| one.evidence = BTreeSet::from([name("told1"), name("told2")]));
            determine(stage, act)
        }
        Rule::NotOpinionAlone => {
            let stage = Stage::heard();
            let act = stage.determination_but("E3", |one| one.evidence = BTreeSet::from([name("opinion")]));
            determine(stage, act)
        }
        Rule::Heard => {
            let stage = Stage::set();
            let act = stage.determination(Standard::MoreLikelyThanNot);
            determine(stage, act)
        }
        Rule::Supersedes => {
            let stage = Stage::determined();
            let Act::Determine(mut again) = stage.determination(Standard::MoreLikelyThanNot) else { unreachable!() };
            again.supersedes = None;
            determine(stage, Act::Determine(again))
        }
        Rule::OnDetermination => {
            let mut stage = Stage::served_later();
            stage.must("ann", stage.determination_but("E5", |one| one.answer = Established::NotEstablished));
            let act = stage.effect("d1");
            (stage, "tribune", act)
        }
        Rule::Proven => {
            let mut stage = Stage::heard();
            stage.must("ann", stage.determination(Standard::MoreLikelyThanNot));
            let all = [target("a1", "speech", &[Switch::Write])];
            (stage, "ann", Act::Propose(decision("d1", "terminate", &all)))
        }
        Rule::StepsDone => {
            let mut stage = Stage::set();
            stage.ask();
            stage.later(15);
            stage.must("ann", stage.determination(Standard::MoreLikelyThanNot));
            (stage, "ann", Act::Propose(read_only("d1")))
        }
        Rule::Counsel => {
            let mut stage = Stage::determined();
            stage.case.as_mut().unwrap().counselled = false;
            let all = [target("a1", "speech", &[Switch::Write])];
            (stage, "ann", Act::Propose(decision("d1", "terminate", &all)))
        }
        Rule::Sealed => {
            let twice = Decision { targets: vec![write("a1", "speech"); 2], ..read_only("d1") };
            propose(twice)
        }
        Rule::WithinOrder => {
            let more = [target("a1", "speech", &[Switch::Read])];
            propose(decision("d1", "read-only", &more))
        }
        Rule::Narrow => propose(decision("d1", "read-only", &[write("a1", "database")])),
        Rule::Protected => {
            let mut stage = Stage::determined();
            let Act::AddEvidence(mut item) = meters("m3", "a1") else { unreachable!() };
            item.about = BTreeSet::from([(name("a1"), None)]);
            stage.must("tribune", Act::AddEvidence(item));
            (stage, "ann", Act::Propose(decision("d1", "read-only", &[write("a1", "billing")])))
        }
        Rule::Reasoned => propose(Decision { reasons: BTreeMap::new(), ..read_only("d1") }),
        Rule::Respite => {
            let respite = Respite { notice_hours: 71, export_days: 30 };
            propose(Decision { respite, ..read_only("d1") })
        }
        Rule::Bounded => propose(Decision { review: None, ..read_only("d1") }),
        Rule::LiftsLess => {
            let same = read_only("d1").targets;
            (Stage::in_effect(), "ann", Act::Propose(lift("d2", "d1", &same)))
        }
        Rule::Previewed => {
            let mut stage = Stage::determined();
            stage.act("ann", Act::Propose(read_only("d1"))).unwrap();
            let act = stage.approval("ben", "d1");
            (stage, "ben", act)
        }
        Rule::MeteredFits => {
            let stage = Stage::proposed();
            let metered = metered(stage.now.plus_days(-30), 14);
            (stage, "tribune", Act::Preview { decision: name("d1"), metered })
        }
        Rule::Drift => {
            let mut stage = Stage::served_later();
            let Act::Preview { decision, mut metered } = stage.preview("d1") else { unreachable!() };
            metered.accounts.insert(name("a1"), name("another"));
            stage.must("tribune", Act::Preview { decision, metered });
            let act = stage.effect("d1");
            (stage, "tribune", act)
        }
        Rule::Proposed => {
            let mut stage = Stage::proposed();
            stage.must("ben", Act::Refuse { decision: name("d1"), reason: text("no") });
            let act = stage.approval("cleo", "d1");
            (stage, "cleo", act)
        }
        Rule::OtherThanProposer => {
            let mut stage = Stage::determined();
            stage.must("ben", Act::Propose(read_only("d1")));
            let act = stage.approval("ben", "d1");
            (stage, "ben", act)
        }
        Rule::OtherThanAppeal => {
            let mut stage = Stage::in_effect();
            stage.must("customer", Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("g") }));
            let outcome = AppealOutcome::Rejected;
            stage.must("eve", Act::DecideAppeal { id: name("p1"), outcome, reasons: text("r") });
            stage.must("ann", Act::Propose(read_only("d2")));
            let act = stage.approval("eve", "d2");
            (stage, "eve", act)
        }
        Rule::AsShown => {
            let stage = Stage::proposed();
            let act = stage.approval_of("ben", "d1", text("another list"));
            (stage, "ben", act)
        }
        Rule::OwnSignature => {
            let stage = Stage::proposed();
            let act = stage.approval("cleo", "d1");
            (stage, "ben", act)
        }
        Rule::NotOneChain => {
            let mut stage = Stage::proposed();
            stage.must("ben", stage.approval("ben", "d1"));
            let act = stage.approval("dan", "d1");
            (stage, "dan", act)
        }
        Rule::Approved => {
            let mut stage = Stage::proposed();
            stage.must("ben", stage.approval("ben", "d1"));
            let decided = stage.case.as_mut().unwrap().decisions.get_mut(&name::<DecisionId>("d1")).unwrap();
            decided.notice = Some(Notice { at: START, statement: text("statement"), public: text("statement") });
            let act = stage.effect("d1");
            (stage, "tribune", act)
        }
        Rule::StillApproved => {
            let mut stage = Stage::served_later();
            stage.must("ben", Act::Declare { conflict: Some(text("cousin")) });
            let act = stage.effect("d1");
            (stage, "tribune", act)
        }
        Rule::Unchanged => {
            let root = seal::root(&[write("a1", "object-storagf")]);
            (Stage::served_later(), "tribune", Act::TakeEffect { decision: name("d1"), root })
        }
        Rule::NoticeFirst => {
            let stage = Stage::served();
            let act = stage.effect("d1");
            (stage, "tribune", act)
        }
        Rule::Entrusted => {
            let stage = Stage::in_effect();
            (stage, "ann", Act::Entrust { decision: name("d1"), to: name("hal"), due: START.plus_days(100) })
        }
        Rule::Over => (Stage::in_effect(), "tribune", Act::RunOut { decision: name("d1") }),
        Rule::CheckDue => {
            let (use_ended, rest_as_before) = (true, true);
            (Stage::in_effect(), "ann", Act::Check { decision: name("d1"), days: 30, use_ended, rest_as_before })
        }
        Rule::Leaves => (Stage::set(), "ben", Act::DecideLeaving { choice: Leaving::LetGo, reasons: text("harm") }),
        Rule::AppealServed => {
            let appeal = Appeal { id: name("p1"), decision: name("d1"), ground: text("g") };
            (Stage::approved(), "customer", Act::Appeal(appeal))
        }
        Rule::InTime => {
            let mut stage = Stage::in_effect();
            stage.later(200);
            stage.must("customer", Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("g") }));
            let outcome = AppealOutcome::Upheld;
            (stage, "eve", Act::DecideAppeal { id: name("p1"), outcome, reasons: text("r") })
        }
        Rule::Undecided => {
            let mut stage = Stage::in_effect();
            stage.must("customer", Act::Appeal(Appeal { id: name("p1"), decision: name("d1"), ground: text("g") }));
            let vote = || Act::DecideAppeal { id: name("p1"), outcome: AppealOutcome::Upheld, reasons: text("r") };
            stage.must("eve", vote());
            stage.must("fay", vote());
            (stage, "gus", vote())
        }
        Rule::NothingLeft => (Stage::in_effect(), "ann", Act::Close(closing())),
        Rule::DeclaredUse => {
            let closing = Closing { declared_use: Some(DeclaredUse::Approved), ..closing() };
            (Stage::set(), "ann", Act::Close(closing))
        }
        Rule::NewMaterial => {
            let mut stage = Stage::set();
            stage.must("ann", Act::Close(closing()));
            stage.later(1);
            (stage, "ines", Act::Reopen { material: name("doc") })
        }
        Rule::Owed => {
            let mut stage = Stage::approved();
            stage.safe("to employees");
            (stage, "ann", tell_employees("to employees"))
        }
        Rule::Held => {
            let stage = Stage::set();
            let until = stage.now.plus_days(31);
            (stage, "ann", Act::Hold { until, reason: text("later") })
        }
        Rule::Escalated => (Stage::set(), "ann", Act::Escalate { to: Role::Analyst, reason: text("what now?") }),
        Rule::Unnamed => {
            let mut stage = Stage::served();
            stage.safe("to employees");
            stage.must("ben", Act::NamePublicly { reasons: text("public interest") });
            (stage, "ann", Act::TellEmployees { text: text("to employees"), names_customer: true })
        }
    }
}

/// Rules whose absence breaks an invariant that the audit sees by itself; the others guard order, form and time.
const AUDITED: &[Rule] = &[
    Rule::Declared,
    Rule::Proven,
    Rule::OtherThanProposer,
    Rule::OtherThanAppeal,
    Rule::OwnSignature,
    Rule::NotOneChain,
    Rule::NoConflict,
    Rule::NotClose,
    Rule::SourceSafe,
    Rule::TwoEyes,
    Rule::EveryElement,
    Rule::Shown,
    Rule::Admissible,
    Rule::TwoSources,
    Rule::NotOpinionAlone,
    Rule::Sealed,
    Rule::WithinOrder,
    Rule::Narrow,
    Rule::Protected,
    Rule::Reasoned,
    Rule::Approved,
    Rule::StillApproved,
    Rule::Unchanged,
    Rule::NoticeFirst,
    Rule::Unnamed,
    Rule::GoesOn,
    Rule::HasPart,
    Rule::StepOfOthers,
    Rule::OnDetermination,
    Rule::StepsDone,
    Rule::Respite,
    Rule::Bounded,
    Rule::LiftsLess,
    Rule::AppealServed,
    Rule::Undecided,
    Rule::DeclaredUse,
];

#[test]
fn every_rule_refuses_what_it_alone_is_against() {
    let mut wrong = Vec::new();
    for rule in Rule::ALL {
        let (mut stage, by, act) = broken(*rule);
        let before = stage.case.clone();
        let refusal = stage.act(by, act.clone()).expect_err(&format!("{rule:?}"));
        assert_eq!(refusal.rule, *rule, "{refusal}");
        assert!(!refusal.mend.is_empty() && stage.case == before, "a refusal changes nothing");
        stage.without = Some(*rule);
        assert_eq!(stage.act(by, act), Ok(true), "{rule:?} is not what refuses it");
        stage.carry_through();
        let breaches = stage.breaches();
        if breaches.is_empty() == AUDITED.contains(rule) {
            wrong.push((rule, breaches));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// An act at random, over few names, so that acts meet each other.
fn any_act(stage: &Stage, op: u8, who: u8, which: u8) -> (&'static str, Act) {
    let (by, ..) = PEOPLE[usize::from(who) % PEOPLE.len()];
    let decision = ["d1", "d2", "d3"][usize::from(which) % 3];
    let standard = [Standard::ReasonableSuspicion, Standard::MoreLikelyThanNot, Standard::ClearAndConvincing];
    let standard = standard[usize::from(which) % 3];
    let account = ["a1", "a2", "a3"][usize::from(which / 3) % 3];
    let service = ["object-storage", "speech", "billing", "database"][usize::from(which / 9) % 4];
    let switches = [Switch::Write, Switch::Read, Switch::Export][usize::from(which / 36) % 3];
    let targets = [target(account, service, &[switches])];
    let intervention = ["read-only", "disable", "terminate", "hold-export", "declaration"][usize::from(which / 8) % 5];
    let known = stage.case().decisions.contains_key(&name::<DecisionId>(decision));
    let act = match op % OPS {
        0 => Act::Assign {
            person: name(by),
            role: [Role::Decider, Role::Reviewer, Role::AppealPanel][usize::from(which) % 3],
        },
        1 => Act::Declare { conflict: (which.is_multiple_of(5)).then(|| text("cousin")) },
        2 => Act::Release { person: name(by) },
        3 => meters(["m1", "m7", "m8"][usize::from(which) % 3], account),
        4 => {
            Act::ConfirmSafe { text: text(["statement", "question"][usize::from(which) % 2]), written_by: name("ann") }
        }
        5 => Act::Ask { id: name("q9"), text: text("question"), until: stage.now.plus_days(i64::from(which % 20)) },
        6 => Act::Answer { id: name("q9"), text: (which.is_multiple_of(2)).then(|| text("answer")) },
        7 => Act::WaiveHearing { reason: text("flight") },
        8 | 9 => stage.determination(standard),
        10 => stage.determination_but(["E1", "E3"][usize::from(which) % 2], |one| {
            one.evidence = BTreeSet::from([name(["told1", "opinion", "m1"][usize::from(which / 2) % 3])]);
        }),
        11 => Act::Propose(self::decision(decision, intervention, &targets)),
        12 => Act::Propose(Decision { emergency: true, ..self::decision(decision, intervention, &targets) }),
        13 => Act::Propose(read_only(decision)),
        14 => Act::Propose(lift(decision, "d1", if which.is_multiple_of(2) { &[] } else { &targets })),
        15..=17 if known => stage.approval(if which.is_multiple_of(7) { "ben" } else { by }, decision),
        18 => Act::Refuse { decision: name(decision), reason: text("no") },
        19 => serve(decision, "statement"),
        20 | 21 if known => stage.effect(decision),
        22 => Act::RunOut { decision: name(decision) },
        23 => Act::Appeal(Appeal { id: name("p1"), decision: name(decision), ground: text("ground") }),
        24 => Act::DecideAppeal { id: name("p1"), outcome: AppealOutcome::Upheld, reasons: text("reasons") },
        25 => {
            if which.is_multiple_of(2) {
                Act::Close(closing())
            } else {
                Act::Reopen { material: name("m7") }
            }
        }
        26 => stage.preview(decision),
        27 => {
            let (decision, days) = (name(decision), i64::from(which % 20) + 1);
            Act::Compare { decision, metered: metered(stage.now.plus_days(-i64::from(who % 20)), days) }
        }
        28 => Act::TellEmployees {
            text: text(["statement", "unread"][usize::from(which) % 2]),
            names_customer: which.is_multiple_of(3),
        },
        29 => Act::NamePublicly { reasons: text("public interest") },
        30 => Act::Hold { until: stage.now.plus_days(i64::from(which % 40)), reason: text("later") },
        31 => Act::TakeUp,
        32 => Act::Escalate {
            to: [Role::AppealPanel, Role::Counsel, Role::Analyst][usize::from(which) % 3],
            reason: text("?"),
        },
        33 => Act::Respond { role: [Role::AppealPanel, Role::Counsel][usize::from(which) % 2], answer: text("!") },
        34..=51 => any_other_act(stage, op, by, which),
        _ => Act::NoteContact { from: Contact::Executive, with: name("ann"), about: text("lunch") },
    };
    let by = match op % OPS {
        6 | 23 if !who.is_multiple_of(3) => "customer",
        19..=22 | 26 | 27 | 34 | 38 | 40 if !who.is_multiple_of(2) => "tribune",
        _ => by,
    };
    (by, act)
}

/// The rest of what can happen: what joins and merges, steps, what leaves and comes back, checks, tasks, declared uses.
fn any_other_act(stage: &Stage, op: u8, by: &str, which: u8) -> Act {
    let one = |of: &[&'static str]| of[usize::from(which) % of.len()];
    let decision = name::<DecisionId>(one(&["d1", "d2", "d3"]));
    let accounts = BTreeSet::from([name(one(&["a1", "a3", "a4"]))]);
    let yes = which.is_multiple_of(2);
    match op % OPS {
        34 => Act::Join {
            source: if yes { Source::Report { report: name(one(&["r1", "r2"])) } } else { declaration("s2") },
            accounts,
        },
        35 => Act::TakeIn {
            other: name("case-2"),
            accounts,
            sources: BTreeSet::from([Source::Report { report: name("r9") }]),
            hands: BTreeMap::from([(name(by), BTreeSet::from([Hand::Determined]))]),
        },
        36 => Act::GoOnIn { other: name("case-3") },
        37 => Act::CompleteStep { step: name(one(&["facts", "innocent-explanations", "counsel"])), note: text("n") },
        38 => Act::NoteLeaving { finding: text("leaves") },
        39 => Act::DecideLeaving {
            choice: if yes { Leaving::LetGo } else { Leaving::HoldExport },
            reasons: text("reasons"),
        },
        40 => Act::FollowUp { id: name(one(&["f1", "f2"])), account: None, finding: text("f") },
        41 => Act::SettleFollowUp { id: name(one(&["f1", "f2", "check d1 30"])), note: text("n") },
        42 => Act::AdmitAppeal { id: name("p1"), reason: text("ill") },
        43 => {
            Act::Check { decision, days: [30, 90, 180][usize::from(which) % 3], use_ended: yes, rest_as_before: true }
        }
        44 => {
            let next = yes.then(|| stage.now.plus_days(i64::from(which)));
            Act::LookAgain { decision, reasons: text("it stands"), next }
        }
        45 => Act::Entrust { decision, to: name("hal"), due: stage.now.plus_days(9) },
        46 => Act::Attest { decision, note: text("done") },
        47 => Act::Correct { statement: text("statement"), correction: text(one(&["statement", "question"])) },
        48 => Act::HandleEvidence { evidence: name("m1"), note: text("seen") },
        49 => Act::Dissent { determination: usize::from(which) % 2, opinion: text("otherwise") },
        50 => Act::DecideUse {
            may: if yes {
                DeclaredUse::Approved
            } else {
                DeclaredUse::Conditions { calls_per_hour: 9, until: START.plus_days(90) }
            },
            reasons: text("reasons"),
        },
        _ => item(one(&["told4", "paper", "advice"]), [Basis::Document, Basis::Opinion][usize::from(which) % 2], by),
    }
}

/// How many kinds of acts are tried at random.
const OPS: u8 = 52;

/// How many sequences are tried: few with every change, 100,000 at night.
fn sequences() -> u32 {
    std::env::var("TRIBUNE_SEQUENCES").ok().map_or(256, |text| text.parse().unwrap())
}

/// The rules as a page, each with what shows that it is needed.
fn page_of_rules() -> String {
    let mut page = "# The rules of due process\n\n\
        Each rule is broken once by a test of its own, `every_rule_refuses_what_it_alone_is_against` in \
        `crates/review/src/story.rs`: by a command that this rule alone refuses. With the rule left out, as a mutation \
        would leave it, the same command passes; where the last column says so, an audit that shares no code with the \
        rules then finds the invariant broken in the events. This page is made by that test's file and checked by it.\n\n\
        | rule | its name | the audit finds it missing |\n|---|---|---|\n"
        .to_owned();
    for rule in Rule::ALL {
        let audited = if AUDITED.contains(rule) { "yes" } else { "it guards order, form or time" };
        page += &format!("| {rule} | `{rule:?}` | {audited} |\n");
    }
    page
}

/// Write it anew with `TRIBUNE_WRITE_DOCS=1 cargo test -p review rules_are_listed`.
#[test]
fn the_rules_are_listed_as_they_are() {
    let path = "../../docs/rules.md";
    if std::env::var_os("TRIBUNE_WRITE_DOCS").is_some() {
        std::fs::write(path, page_of_rules()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page_of_rules(), "docs/rules.md is out of date");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(sequences()))]

    /// Whatever people send, in whatever order and however often: what was let pass breaks no invariant.
    #[test]
    fn no_sequence_of_commands_breaks_an_invariant(
        start in 0..9_u8,
        sent in proptest::collection::vec((0..OPS, any::<u8>(), any::<u8>(), 0..4_u8, prop::bool::weighted(0.1), prop::bool::weighted(0.01)), 1..60),
    ) {
        let stages = [Stage::set, Stage::heard, Stage::determined, Stage::proposed, Stage::approved, Stage::served, Stage::in_effect, Stage::declared, closed];
        let mut stage = stages[usize::from(start)]();
        let mut last: Option<Command> = None;
        for (op, who, which, days, again, goes) in sent {
            stage.now = stage.now.plus_days(i64::from(days));
            if let (true, Some(command)) = (again, last.clone()) {
                let before = stage.case().clone();
                prop_assert_eq!(stage.send(command), Ok(false));
                prop_assert_eq!(stage.case(), &before);
            }
            if goes {
                let (person, ..) = PEOPLE[usize::from(which) % PEOPLE.len()];
                stage.roster.members.get_mut(&name::<PersonId>(person)).unwrap().left = Some(Moment(stage.now.0 + 1));
            }
            let (by, act) = any_act(&stage, op, who, which);
            let before = stage.case().clone();
            match stage.act(by, act) {
                Ok(_) => last = stage.events.last().map(|event| event.command.clone()),
                Err(refusal) => {
                    prop_assert!(!refusal.mend.is_empty());
                    prop_assert_eq!(stage.case(), &before);
                }
            }
        }
        prop_assert_eq!(stage.breaches(), Vec::<String>::new());
        let folded = Case::fold(&stage.events, &stage.procedure);
        prop_assert_eq!(folded.as_ref(), Some(stage.case()));
        // What is public names nobody and nothing of the customer's.
        for entry in &stage.public {
            let line = String::from_utf8(entry.bytes().unwrap()).unwrap();
            let named = ["acme", "\"a1", "object-storage", "case-1"].iter().any(|name| line.contains(*name));
            prop_assert!(!named, "{}", line);
        }
        // Two ways of counting the year agree.
        let procedures = BTreeMap::from([(text("pack"), stage.procedure.clone())]);
        let counts = Counts::of(2026, &stage.events, &[], &procedures).unwrap();
        prop_assert_eq!(harmonised::agree(&counts, &stage.events, &[], &procedures), Ok(()));
        // What is in force was sealed in a decision that two signed.
        for (id, target) in stage.case().in_force(stage.now) {
            let decided = &stage.case().decisions[id];
            prop_assert!(decided.decision.targets.contains(target) && decided.approvals.len() >= 2);
        }
    }
}
