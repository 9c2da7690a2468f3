"""What stands in the audit, in plain words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from rapport.web.role_words import role_name
from rapport.web.templatetags.desk_words import relationship_name, state_name

#: verb -> what somebody did; a name in braces is taken from the entry
DEEDS = {
    "acknowledgement.off": gettext_lazy("turned the acknowledgement off"),
    "acknowledgement.on": gettext_lazy("turned the acknowledgement on, in these words"),
    "authors.hide": gettext_lazy("hid the words of accounts that the network suspended"),
    "authors.show": gettext_lazy("showed the words of accounts that came back"),
    "plan.save": gettext_lazy("saved the steps {name}"),
    "plan.begin": gettext_lazy("began the steps {name}"),
    "plan.end": gettext_lazy("ended {tasks} steps, because the person spoke again"),
    "survey.save": gettext_lazy("saved the survey {name}"),
    "survey.invite": gettext_lazy("made a link to the survey {name}"),
    "survey.send": gettext_lazy("sent a link to a survey"),
    "survey.take_back": gettext_lazy("took back a link to a survey"),
    "survey.answer": gettext_lazy("took in an answer to a survey"),
    "allowance.save": gettext_lazy("said what a role may offer: {what}"),
    "allowance.delete": gettext_lazy("took away what a role may offer: {what}"),
    "article.save": gettext_lazy("saved the article {name}"),
    "article.delete": gettext_lazy("deleted the article {name}"),
    "offer.make": gettext_lazy("offered {what}"),
    "offer.ask": gettext_lazy("asked a lead to offer {what}"),
    "offer.allow": gettext_lazy("allowed an offer: {what}"),
    "offer.refuse": gettext_lazy("refused an offer: {what}"),
    "offer.answer": gettext_lazy("wrote down what became of an offer: {what}, {state}"),
    "check.draw": gettext_lazy("drew the sample of what was put aside"),
    "check.judge": gettext_lazy("looked at one that was put aside"),
    "absence.save": gettext_lazy("entered an absence"),
    "absence.end": gettext_lazy("ended an absence"),
    "basket.archive": gettext_lazy("archived the basket {name}; what lay in it lies in {basket}"),
    "basket.bring_back": gettext_lazy("brought back the basket {name}"),
    "basket.people": gettext_lazy("changed who works in a basket"),
    "basket.save": gettext_lazy("saved the basket {name}"),
    "back_test.ask": gettext_lazy("had rules tried on what was heard: {draft}"),
    "back_test.claim": gettext_lazy("began to try rules on what was heard"),
    "back_test.done": gettext_lazy("tried rules on what was heard: {different} of {seen} would be decided differently"),
    "back_test.fail": gettext_lazy("could not try rules on what was heard"),
    "back_test.stop": gettext_lazy("stopped a trial of rules"),
    "brand.add": gettext_lazy("put {name} on the list of other firms"),
    "brand.remove": gettext_lazy("took {name} off the list of other firms"),
    "post_draft.make": gettext_lazy("began a post of our own"),
    "post_draft.propose": gettext_lazy("asked for the word on a post of our own"),
    "post_draft.return": gettext_lazy("gave a post of our own back: {reason}"),
    "post_draft.delete": gettext_lazy("threw the draft of a post of our own away"),
    "campaign.delete": gettext_lazy("deleted the campaign {name}"),
    "campaign.find": gettext_lazy("looked for posts: {found} can be answered"),
    "campaign.finish": gettext_lazy("finished the campaign {name}"),
    "campaign.give": gettext_lazy("gave out posts of a campaign"),
    "campaign.keep": gettext_lazy("was told why a post of a campaign is not answered: {reason}"),
    "campaign.run": gettext_lazy("let the campaign {name} run"),
    "campaign.save": gettext_lazy("saved the campaign {name}"),
    "campaign.send": gettext_lazy("answered a post of a campaign"),
    "campaign.skip": gettext_lazy("left a post of a campaign out: {reason}"),
    "campaign.stop": gettext_lazy("stopped the campaign {name}: {reason}"),
    "campaign.take_up": gettext_lazy("took a post of a campaign up again"),
    "campaign.write": gettext_lazy("began to write to a post of a campaign"),
    "channel.limits": gettext_lazy("changed what an account may"),
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
    "approval_rule.delete": gettext_lazy("took away a rule about who approves"),
    "approval_rule.move": gettext_lazy("changed the order of the rules about who approves"),
    "approval_rule.save": gettext_lazy("saved a rule about who approves"),
    "note.edit": gettext_lazy("changed a note of their own"),
    "note.remove": gettext_lazy("took a note of their own back"),
    "drafting.fail": gettext_lazy("asked a service for a draft and got none: {reason}"),
    "drafting.save": gettext_lazy("changed the service that writes drafts"),
    "drafting.write": gettext_lazy("had a service write a draft"),
    "draft.confirm": gettext_lazy("confirmed words that a service wrote"),
    "draft.restore": gettext_lazy("put earlier words of a draft back"),
    "draft.share": gettext_lazy("showed a draft to colleagues"),
    "draft.unshare": gettext_lazy("showed a draft to nobody any more"),
    "composer.take_over": gettext_lazy("took over writing from a colleague"),
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
    "conversation.tag": gettext_lazy("put on the tag {tag}"),
    "conversation.undo": gettext_lazy("took back what they had done"),
    "conversation.untag": gettext_lazy("took off the tag {tag}"),
    "conversation.unfold": gettext_lazy("took out of the near-copies, to answer on its own"),
    "conversation.wake": gettext_lazy("brought back from snooze"),
    "act.approve": gettext_lazy("did on the network: {kind}"),
    "delivery.cancel": gettext_lazy("took a reply back"),
    "delivery.claim": gettext_lazy("took a reply to send it"),
    "delivery.failed": gettext_lazy("could not send a reply"),
    "delivery.held": gettext_lazy("held a reply"),
    "delivery.part": gettext_lazy("sent one post of a thread"),
    "delivery.push": gettext_lazy("handed a reply to the network"),
    "delivery.reconciled": gettext_lazy("found a reply on the network"),
    "delivery.requeue": gettext_lazy("put held replies back into the queue"),
    "delivery.retry": gettext_lazy("put a reply back into the queue"),
    "reply.settle": gettext_lazy("said what became of a reply"),
    "reply.let_through": gettext_lazy("let a reply out although everything was held"),
    "reply.handover": gettext_lazy("answered on the site of the network"),
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
    "image.add": gettext_lazy("added an image to a reply"),
    "image.describe": gettext_lazy("said what is to be seen on an image, or took it back"),
    "image.drop": gettext_lazy("took an image out of a reply"),
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
    "person.consent": gettext_lazy("wrote down what a person allowed or refused: {purpose}"),
    "channel.ask_purge": gettext_lazy("has what was heard through the account {name} deleted"),
    "channel.purge": gettext_lazy("deleted everything that was heard through an account"),
    "person.ask_erase": gettext_lazy("asked for everything of a person to be erased"),
    "person.ask_export": gettext_lazy("asked for a file with everything of a person"),
    "person.claim_job": gettext_lazy("began an export or erasure of a person"),
    "person.erase": gettext_lazy("emptied entries of the ledger, for an erasure"),
    "person.erased": gettext_lazy("erased a person"),
    "person.expire_export": gettext_lazy("deleted a file with everything of a person"),
    "person.exported": gettext_lazy("wrote a file with everything of a person"),
    "person.fail_job": gettext_lazy("could not export or erase a person"),
    "person.fetch_export": gettext_lazy("fetched a file with everything of a person"),
    "person.field": gettext_lazy("changed what a person has in the field {field}"),
    "person.note": gettext_lazy("wrote a note on a person"),
    "person.remove_note": gettext_lazy("took back a note on a person"),
    "person.withdraw_consent": gettext_lazy("wrote down that a person took back what they allowed: {purpose}"),
    "person_field.delete": gettext_lazy("deleted the field {name} of people"),
    "person_field.save": gettext_lazy("saved the field {name} of people"),
    "person.undo": gettext_lazy("took back what they had done"),
    "person.relationship": gettext_lazy("named the relationship: {relationship}"),
    "person.review": gettext_lazy("looked again whether to ignore a person, and it is still right"),
    "person.split": gettext_lazy("undid a join: {name} is a person of their own again"),
    "person.split_handle": gettext_lazy("split off {handle}"),
    "person.suppress": gettext_lazy("stopped everything to a person"),
    "person.lift_suppression": gettext_lazy("let a person be written to again"),
    "post.retry": gettext_lazy("put posts back on the line"),
    "posts.hand_in": gettext_lazy("handed in posts, as a program"),
    "posts.hear": gettext_lazy("took in posts"),
    "posts.record": gettext_lazy("sorted posts into conversations"),
    "posts.take_down": gettext_lazy("hid posts that their authors deleted"),
    "posts.bring_back": gettext_lazy("showed a reply of ours again that had been deleted"),
    "posts.recheck": gettext_lazy("looked again at stored posts and found changes"),
    "prepared_reply.delete": gettext_lazy("deleted a prepared reply"),
    "prepared_reply.place": gettext_lazy("said where a prepared reply is offered"),
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
    "rule.override_undone": gettext_lazy("took back what they had decided otherwise than the rule “{rule}”"),
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
    "task.undo": gettext_lazy("took back what they had done"),
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
    "user.keys": gettext_lazy("changed their keys"),
    "user.sign_in": gettext_lazy("signed in with a link"),
    "user.sign_in_link": gettext_lazy("made a sign-in link"),
    "view.change": gettext_lazy("changed the view {name}"),
    "view.remove": gettext_lazy("removed the view {name}"),
    "view.save": gettext_lazy("kept a list as the view {name}"),
    "view.shift": gettext_lazy("put the view {name} in another place"),
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
    "invitation": gettext_lazy("link to a survey"),
    "survey": gettext_lazy("survey"),
    "stepplan": gettext_lazy("steps over days"),
    "surveyanswer": gettext_lazy("answer to a survey"),
    "allowance": gettext_lazy("what a role may offer"),
    "article": gettext_lazy("article"),
    "offer": gettext_lazy("offer"),
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


#: fields of a conversation whose change an entry tells; the rest are found where entries are written
CHANGED = (
    pgettext_lazy("audit", "settled at"), pgettext_lazy("audit", "snoozed until"), pgettext_lazy("audit", "opened at"),
    pgettext_lazy("audit", "waiting since"), pgettext_lazy("audit", "priority"),
)  # fmt: skip


def field_name(name: str) -> str:
    """What pages call a field of an entry. tests/messages.py finds the names where entries are written."""
    return pgettext("audit", name.replace("_", " "))


def value_name(field: str, value: str) -> str:
    """A value that has a name on the pages: a role, a state, what somebody is to us; any other as it is."""
    if field == "role":
        return role_name(value)
    if field == "state":
        said = state_name(value)
        return said[:1].lower() + said[1:]
    return relationship_name(value) if field == "relationship" else value


def in_bulk(steps: int) -> str:
    """What the machine did in many steps one after the other."""
    return _("took in and sorted posts, in %(n)d steps") % {"n": steps}
