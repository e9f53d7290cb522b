// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"belfry/chat"
	"belfry/fault"
)

// effect says what a call does in Slack.
type effect bool

const (
	reads  effect = false
	writes effect = true
)

// meaning is what one of Slack's error codes stands for.
type meaning struct {
	decision fault.Decision
	// advice says what to do about it; %s is the connection's name.
	advice string
}

// meanings are the codes that Slack's reference of methods lists for what is
// called here: chat.postMessage, chat.update, conversations.* and auth.test
// (https://docs.slack.dev/reference/methods/chat.postMessage#errors and its
// neighbours). A code that is not here is Permanent and shown as it is.
//
// "fatal_error: It's possible some aspect of the operation succeeded before
// the error was raised": it, internal_error and what sounds like them are
// Unknown. What says that Slack can't right now, without having begun, is Retry.
var meanings = map[string]meaning{
	// It may have been done.
	"fatal_error":    {fault.Unknown, "slack of connection %s has trouble and may have done it"},
	"internal_error": {fault.Unknown, "slack of connection %s has trouble and may have done it"},
	"update_failed":  {fault.Unknown, "slack of connection %s has trouble and may have done it"},
	// Not now.
	"service_unavailable":        {fault.Retry, "slack of connection %s is not available at the moment"},
	"request_timeout":            {fault.Retry, "slack of connection %s got the request only in part"},
	"team_added_to_org":          {fault.Retry, "the workspace of connection %s is being moved into an organisation"},
	"org_login_required":         {fault.Retry, "the workspace of connection %s is being moved into an organisation"},
	"external_channel_migrating": {fault.Retry, "the channel is being moved"},
	"ratelimited":                {fault.RetryAfter, "slack of connection %s asks to wait"},
	"rate_limited":               {fault.RetryAfter, "slack of connection %s asks to wait"},
	"message_limit_exceeded":     {fault.Permanent, "the workspace of connection %s has used up its messages"},
	// The credentials. They are given anew without touching the alert, so what waits for them waits.
	"not_authed":                {fault.Retry, "slack got no token from connection %s"},
	"invalid_auth":              {fault.Retry, "slack refuses the token of connection %s (wrong, or from an address that is not allowed); give it a new one"},
	"token_revoked":             {fault.Retry, "the token of connection %s was revoked or its app removed; install the app again and give its token"},
	"token_expired":             {fault.Retry, "the token of connection %s has expired; give it a new one"},
	"account_inactive":          {fault.Retry, "the token of connection %s belongs to an app or a workspace that is switched off"},
	"two_factor_setup_required": {fault.Retry, "the token of connection %s belongs to somebody who must set up two factors first"},
	"not_allowed_token_type":    {fault.Retry, "the token of connection %s is of the wrong kind: a bot's token begins with xoxb-"},
	"missing_scope":             {fault.Retry, "the token of connection %s lacks a scope; add it to the app (OAuth & Permissions), install the app again and give its new token"},
	"no_permission":             {fault.Permanent, "the app of connection %s lacks the right"},
	"access_denied":             {fault.Permanent, "the app of connection %s lacks the right"},
	"team_access_not_granted":   {fault.Permanent, "the app of connection %s is not let into the workspace"},
	"enterprise_is_restricted":  {fault.Permanent, "the organisation of connection %s does not allow it"},
	"accesslimited":             {fault.Retry, "slack of connection %s does not allow it from this network"},
	"ekm_access_denied":         {fault.Retry, "administrators of connection %s have suspended posting"},
	// The channel.
	"channel_not_found":                        {fault.Permanent, "there is no such channel, or it is private and the app of connection %s is not in it: invite the app there"},
	"not_in_channel":                           {fault.Permanent, "the app of connection %s is not in the channel: invite it there"},
	"is_archived":                              {fault.Permanent, "the channel is archived: un-archive it or name another in the route"},
	"is_inactive":                              {fault.Permanent, "the channel is archived or frozen: un-archive it or name another in the route"},
	"restricted_action":                        {fault.Permanent, "the workspace of connection %s does not let the app post there"},
	"restricted_action_read_only_channel":      {fault.Permanent, "the channel is read-only for the app of connection %s"},
	"restricted_action_thread_only_channel":    {fault.Permanent, "the channel takes nothing but answers in threads"},
	"restricted_action_non_threadable_channel": {fault.Permanent, "the channel takes no threads"},
	"messages_tab_disabled":                    {fault.Permanent, "direct messages to the app of connection %s are switched off"},
	// The message.
	"message_not_found":       {fault.Gone, "it is gone"},
	"thread_not_found":        {fault.Gone, "the message it answers is gone"},
	"cannot_reply_to_message": {fault.Gone, "the message it answers can't be answered"},
	"cant_update_message":     {fault.Permanent, "the app of connection %s did not write it"},
	"edit_window_closed":      {fault.Permanent, "the workspace of connection %s lets nobody edit messages this old"},
	"msg_too_long":            {fault.Permanent, "it is too long for Slack, please report this"},
	"msg_blocks_too_long":     {fault.Permanent, "it is too long for Slack, please report this"},
	"invalid_blocks":          {fault.Permanent, "slack does not take its blocks, please report this"},
	"invalid_blocks_format":   {fault.Permanent, "slack does not take its blocks, please report this"},
	"invalid_attachments":     {fault.Permanent, "slack does not take its blocks, please report this"},
	"block_mismatch":          {fault.Permanent, "slack does not take its blocks, please report this"},
	"metadata_too_large":      {fault.Permanent, "slack does not take its metadata, please report this"},
	"invalid_metadata_format": {fault.Permanent, "slack does not take its metadata, please report this"},
	"invalid_metadata_schema": {fault.Permanent, "slack does not take its metadata, please report this"},
	"no_text":                 {fault.Permanent, "it is empty"},
	"too_many_attachments":    {fault.Permanent, "it has too many attachments"},
}

// decide turns what happened to a call into a decision; doing says what the
// call was for, such as "post to ops".
func (p *Platform) decide(err error, e effect, doing string) error {
	return decide(err, e, doing, p.name)
}

func decide(err error, e effect, doing, connection string) error {
	said := func(format string, args ...any) error {
		return fmt.Errorf("can't %s: %w", doing, fmt.Errorf(format, args...))
	}
	if b, ok := errors.AsType[*broken](err); ok {
		own, decided := errors.AsType[*fault.Error](b.Err) // there was no token to call with
		switch {
		case decided:
			return &fault.Error{Decision: own.Decision, After: own.After, Scope: own.Scope, Err: said("%w", own.Err)}
		case !b.Sent:
			return fault.NewRetry(said("slack of connection %s was not reached, nothing was sent: %w", connection, b.Err))
		case e == reads:
			return fault.NewRetry(said("slack of connection %s did not answer: %w", connection, b.Err))
		}
		return fault.NewUnknown(said("slack of connection %s did not say whether it was done: %w", connection, b.Err))
	}
	r, ok := errors.AsType[*refused](err)
	if !ok {
		return fault.NewUnknown(said("%w", err))
	}
	if r.After > 0 {
		return fault.NewRetryAfterOnly(fault.This, said("slack of connection %s asks to wait %v: %w", connection, r.After, r), r.After)
	}
	m, known := meanings[r.Code]
	switch {
	case known:
	case r.Status >= 500:
		m = meaning{fault.Unknown, "slack of connection %s has trouble and may have done it"}
	case r.Status >= 300 && r.Status < 400:
		m = meaning{fault.Permanent, "what answers for connection %s redirects; set url to where Slack's Web API really is"}
	case r.Status == http.StatusUnauthorized || r.Status == http.StatusProxyAuthRequired:
		m = meaning{fault.Retry, "something before the Slack of connection %s asks for a sign-in"}
	default:
		m = meaning{fault.Permanent, "slack of connection %s refuses"}
	}
	text := said("%s: %w", strings.ReplaceAll(m.advice, "%s", connection), r)
	switch {
	case m.decision == fault.Unknown && e == reads:
		return fault.NewRetry(text)
	case m.decision == fault.RetryAfter: // without a wait: Slack always names one
		return fault.NewRetryAfterOnly(fault.This, text, time.Second)
	}
	if r.Code == "is_archived" || r.Code == "is_inactive" {
		text = chat.Archived(text)
	}
	return &fault.Error{Decision: m.decision, Err: text}
}

// refusal returns Slack's answer in err, if there is one.
func refusal(err error) (refused, bool) {
	r, ok := errors.AsType[*refused](err)
	if !ok {
		return refused{}, false
	}
	return *r, true
}

// refusedAs says whether Slack refused with one of the codes.
func refusedAs(err error, codes ...string) bool {
	r, ok := refusal(err)
	return ok && slices.Contains(codes, r.Code)
}
