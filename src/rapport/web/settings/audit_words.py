"""What stands in the audit, in plain words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.web.templatetags.desk_words import relationship_name

#: verb -> what somebody did; a name in braces is taken from the entry
DEEDS = {
    "acknowledgement.off": gettext_lazy("turned the acknowledgement off"),
    "acknowledgement.on": gettext_lazy("turned the acknowledgement on, in these words"),
    "authors.hide": gettext_lazy("hid the words of accounts that the network suspended"),
    "authors.show": gettext_lazy("showed the words of accounts that came back"),
    "check.draw": gettext_lazy("drew the sample of what was put aside"),
    "check.judge": gettext_lazy("looked at one that was put aside"),
    "absence.save": gettext_lazy("entered an absence"),
    "absence.end": gettext_lazy("ended an absence"),
    "basket.people": gettext_lazy("changed who works in a basket"),
    "basket.save": gettext_lazy("saved the basket {name}"),
    "back_test.ask": gettext_lazy("had rules tried on what was heard: {draft}"),
    "back_test.claim": gettext_lazy("began to try rules on what was heard"),
    "back_test.done": gettext_lazy("tried rules on what was heard: {different} of {seen} would be decided differently"),
    "back_test.fail": gettext_lazy("could not try rules on what was heard"),
    "back_test.stop": gettext_lazy("stopped a trial of rules"),
    "channel.change": gettext_lazy("changed a source"),
    "channel.connect": gettext_lazy("connected an account"),
    "channel.disconnect": gettext_lazy("disconnected an account"),
    "channel.error": gettext_lazy("cannot read a part of a source"),
    "channel.open": gettext_lazy("opened a source for files"),
    "channel.pause": gettext_lazy("waits, as the network asked"),
    "channel.renew": gettext_lazy("renewed the token of an account"),
    "channel.renewing": gettext_lazy("began to renew the token of an account"),
    "channel.see_gaps": gettext_lazy("has seen what is missing from a source"),
    "channel.quiet": gettext_lazy("is unusually quiet"),
    "channel.speaks": gettext_lazy("speaks again"),
    "channel.reauthorise": gettext_lazy("asked to connect an account again"),
    "conversation.assign": gettext_lazy("assigned to {assignee}"),
    "conversation.give": gettext_lazy("gave it out: {reason}"),
    "conversation.overflow": gettext_lazy("sent it on, {reason}"),
    "conversation.return": gettext_lazy("took it back, nobody touched it for {minutes} minutes"),
    "conversation.move": gettext_lazy("moved to {basket}"),
    "conversation.note": gettext_lazy("wrote a note"),
    "conversation.prioritise": gettext_lazy("set the priority to {priority}"),
    "conversation.put_away": gettext_lazy("put into the quarantine"),
    "conversation.put_aside": gettext_lazy("put into the quarantine by a correction"),
    "conversation.reopen": gettext_lazy("opened again"),
    "conversation.resolve": gettext_lazy("resolved"),
    "conversation.snooze": gettext_lazy("snoozed until {snoozed_until}"),
    "conversation.take_out": gettext_lazy("took out of the quarantine into {basket}"),
    "conversation.unfold": gettext_lazy("took out of the near-copies, to answer on its own"),
    "conversation.wake": gettext_lazy("brought back from snooze"),
    "delivery.cancel": gettext_lazy("took a reply back"),
    "delivery.claim": gettext_lazy("took a reply to send it"),
    "delivery.failed": gettext_lazy("could not send a reply"),
    "delivery.held": gettext_lazy("held a reply"),
    "delivery.push": gettext_lazy("handed a reply to the network"),
    "delivery.reconciled": gettext_lazy("found a reply on the network"),
    "delivery.requeue": gettext_lazy("put held replies back into the queue"),
    "delivery.retry": gettext_lazy("put a reply back into the queue"),
    "delivery.sent": gettext_lazy("sent a reply"),
    "delivery.unconfirmed": gettext_lazy("does not know yet whether a reply arrived"),
    "draft.empty": gettext_lazy("emptied a draft"),
    "crisis.begin": gettext_lazy("noticed far more trouble than usual"),
    "crisis.end": gettext_lazy("noticed that the trouble is over"),
    "draft.propose": gettext_lazy("asked a lead to send a draft"),
    "draft.return": gettext_lazy("returned a draft: {reason}"),
    "notices.device_add": gettext_lazy("lets the desk wake a browser"),
    "notices.device_remove": gettext_lazy("does not wake a browser any more"),
    "notices.mail": gettext_lazy("told a colleague by mail"),
    "notices.mail_later": gettext_lazy("could not send a mail, and tries again"),
    "notices.push": gettext_lazy("told a colleague by push"),
    "notices.push_later": gettext_lazy("could not push, and tries again"),
    "notices.settings": gettext_lazy("changed how they are told"),
    "draft.save": gettext_lazy("began a draft"),
    "ladder.handle": gettext_lazy("looked at the step {step} of the ladder"),
    "member.describe": gettext_lazy("said what a member takes and is good at"),
    "promise.break": gettext_lazy("noticed that a promise broke"),
    "promise.warn": gettext_lazy("warned that a promise runs out"),
    "member.change": gettext_lazy("changed a member"),
    "member.invite": gettext_lazy("invited {email}"),
    "effects.carry_out": gettext_lazy("did what rules say"),
    "keys.reseal": gettext_lazy("put everything that is encrypted under a new key"),
    "person.bot": gettext_lazy("said that {handle} is a bot"),
    "person.bot_unsaid": gettext_lazy("took back whether {handle} is a bot"),
    "person.ignore": gettext_lazy("ignores a person from now on"),
    "person.join": gettext_lazy("joined {name} with this person"),
    "person.no_bot": gettext_lazy("said that {handle} is not a bot"),
    "person.relationship": gettext_lazy("named the relationship: {relationship}"),
    "person.review": gettext_lazy("looked again whether to ignore a person, and it is still right"),
    "person.split": gettext_lazy("undid a join: {name} is a person of their own again"),
    "person.split_handle": gettext_lazy("split off {handle}"),
    "person.suppress": gettext_lazy("stopped everything to a person"),
    "post.retry": gettext_lazy("put posts back on the line"),
    "posts.hand_in": gettext_lazy("handed in posts, as a program"),
    "posts.hear": gettext_lazy("took in posts"),
    "posts.record": gettext_lazy("sorted posts into conversations"),
    "posts.take_down": gettext_lazy("hid posts that their authors deleted"),
    "posts.recheck": gettext_lazy("looked again at stored posts and found changes"),
    "prepared_reply.delete": gettext_lazy("deleted a prepared reply"),
    "prepared_reply.save": gettext_lazy("saved a prepared reply"),
    "proposal.dismiss": gettext_lazy("dismissed what a rule proposed: {what}"),
    "proposal.put_back": gettext_lazy("let a proposal wait again: {what}"),
    "proposal.take": gettext_lazy("did what a rule proposed: {what}"),
    "reading.correct": gettext_lazy("corrected a reading: {reading} is {value}, was {was}"),
    "reading.withdraw": gettext_lazy("took a correction back: {reading}"),
    "readings.save": gettext_lazy("set from which certainty readings count"),
    "delivery.dropped": gettext_lazy("did not say the acknowledgement any more"),
    "reply.acknowledge": gettext_lazy("said the acknowledgement"),
    "reply.approve": gettext_lazy("approved a reply"),
    "rule.overridden": gettext_lazy("decided otherwise than the rule “{rule}”"),
    "rule_draft.begin": gettext_lazy("began a draft of rules: {name}"),
    "rule_draft.beside": gettext_lazy("lets the draft {name} run beside the rules in force until {until}"),
    "rule_draft.delete": gettext_lazy("deleted a draft of rules: {name}"),
    "rule_draft.rename": gettext_lazy("called a draft of rules {name}"),
    "rule_draft.save": gettext_lazy("saved a draft of rules: {name}"),
    "rule_draft.stop": gettext_lazy("ended the run of the draft {name} beside the rules in force"),
    "rules.save": gettext_lazy("put version {version} of the rules in force"),
    "score.clear": gettext_lazy("let the machine's score count again"),
    "score.set": gettext_lazy("set the score to {value}"),
    "score.weights": gettext_lazy("put version {version} of the score's weights in force"),
    "task.change": gettext_lazy("changed what is to be done"),
    "task.drop": gettext_lazy("will not do: {title}"),
    "task.finish": gettext_lazy("has done: {title}"),
    "task.make": gettext_lazy("wrote down what is to be done: {title}"),
    "task.remind": gettext_lazy("told colleagues what is due"),
    "task.reopen": gettext_lazy("will do after all: {title}"),
    "team_model.ask": gettext_lazy("asked for a model of the team's own, version {version}"),
    "team_model.claim": gettext_lazy("began to learn version {version} of the team's model"),
    "team_model.fail": gettext_lazy("could not learn version {version} of the team's model"),
    "team_model.made": gettext_lazy("learnt version {version} of the team's model"),
    "team_model.use": gettext_lazy("put version {version} of the team's model in force"),
    "team_model.withdraw": gettext_lazy("went back to the shipped model, from version {version}"),
    "token.create": gettext_lazy("made a token for programs: {name}"),
    "token.revoke": gettext_lazy("revoked a token of programs: {name}"),
    "topic.delete": gettext_lazy("deleted a topic"),
    "topic.rematch": gettext_lazy("applies a topic to stored posts"),
    "topic.rematched": gettext_lazy("applied a topic to stored posts: {added} added, {dropped} dropped"),
    "topic.save": gettext_lazy("saved a topic"),
    "user.profile": gettext_lazy("changed their profile"),
    "user.sign_in": gettext_lazy("signed in with a link"),
    "user.sign_in_link": gettext_lazy("made a sign-in link"),
    "webhook.add": gettext_lazy("added the webhook {name}"),
    "webhook.again": gettext_lazy("could not reach the webhook {name}, and tries again"),
    "webhook.call": gettext_lazy("calls the webhook {name}"),
    "webhook.change": gettext_lazy("changed the address of the webhook {name}"),
    "webhook.delete": gettext_lazy("deleted the webhook {name}"),
    "webhook.given_up": gettext_lazy("gave up a call of the webhook {name}"),
    "webhook.pause": gettext_lazy("paused the webhook {name}"),
    "webhook.resume": gettext_lazy("took the webhook {name} up again"),
    "webhook.retry": gettext_lazy("put a call of the webhook {name} back into the queue"),
    "webhook.secret": gettext_lazy("made a new secret for the webhook {name}"),
    "webhook.taken": gettext_lazy("reached the webhook {name}"),
    "webhook.try": gettext_lazy("tried the webhook {name}"),
    "workspace.create": gettext_lazy("made the workspace"),
    "workspace.hold": gettext_lazy("held everything going out"),
    "workspace.release": gettext_lazy("let everything go out again"),
}

#: verb -> (field, what was done when the field is empty now)
TAKEN_BACK = {
    "conversation.assign": ("assignee", gettext_lazy("gave back to the basket")),
    "person.ignore": ("ignored", gettext_lazy("ignores a person no longer")),
    "person.relationship": ("relationship", gettext_lazy("took the relationship back")),
    "person.suppress": ("suppressed_reason", gettext_lazy("lets a person be written to again")),
}

#: table of the subject -> what pages call it
SUBJECTS = {
    "apitoken": gettext_lazy("token"),
    "approval": gettext_lazy("reply"),
    "absence": gettext_lazy("absence"),
    "backtest": gettext_lazy("trial of rules"),
    "basket": gettext_lazy("basket"),
    "busmessage": gettext_lazy("posts set aside"),
    "channel": gettext_lazy("source"),
    "conversation": gettext_lazy("conversation"),
    "delivery": gettext_lazy("reply on its way"),
    "membership": gettext_lazy("member"),
    "person": gettext_lazy("person"),
    "preparedreply": gettext_lazy("prepared reply"),
    "ruledraft": gettext_lazy("draft of rules"),
    "ruleset": gettext_lazy("rules"),
    "scoreweights": gettext_lazy("weights of the score"),
    "escalation": gettext_lazy("step of the ladder"),
    "task": gettext_lazy("task"),
    "teammodel": gettext_lazy("the team's model"),
    "webhook": gettext_lazy("webhook"),
    "topic": gettext_lazy("topic"),
    "user": gettext_lazy("user"),
    "workspace": gettext_lazy("workspace"),
}


def deed(verb: str, told: dict[str, Any], shown: dict[str, str]) -> tuple[str, set[str]]:
    """What was done, and the fields that the sentence says already.

    `told`: the fields of the entry as they are after it; `shown`: the same as words for a person. A verb that nobody
    has put into words yet is said as it is.
    """
    field, back = TAKEN_BACK.get(verb, ("", ""))
    if field in told and not told[field]:
        return str(back), {field}
    sentence = str(DEEDS.get(verb, verb))
    if verb == "person.relationship":
        shown = {**shown, "relationship": relationship_name(str(told.get("relationship", "")))}
    said = {name for name in shown if f"{{{name}}}" in sentence}
    for name in said:
        sentence = sentence.replace(f"{{{name}}}", shown[name])
    return sentence, said


def subject_name(table: str) -> str:
    """What pages call a row of this table."""
    return str(SUBJECTS.get(table, table))


def in_bulk(steps: int) -> str:
    """What the machine did in many steps one after the other."""
    return _("took in and sorted posts, in %(n)d steps") % {"n": steps}
