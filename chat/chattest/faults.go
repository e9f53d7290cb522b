// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"context"
	"errors"
	"strings"
	"time"

	"belfry/chat"
	"belfry/fault"
	"belfry/seal"
)

// order is a post that is ready to be repeated.
func (r *room) order() chat.Post {
	return chat.Post{Channel: r.Channel, Key: seal.Random(), Message: fullCard()}
}

// checkLostAnswer: the server took the post and never answered. It must be
// asked, and then there is no second message.
func checkLostAnswer(r *room) {
	r.need("LoseAnswer", r.Faults.LoseAnswer != nil)
	r.post(card("before")) // the channel is known, connections stand
	p := r.order()
	r.Faults.LoseAnswer()
	_, err := r.Platform.Post(r.context(), p)
	r.decided(err, fault.Unknown)
	ref, ok := r.find(p.Key)
	if !ok {
		r.Fatal("the message that arrived is not found")
	}
	if again, err := r.Platform.Post(r.context(), p); err != nil || again != ref {
		r.Errorf("the same post right after: %+v, %v; it is at %+v", again, err, ref)
	}
	if n := len(r.Room.Messages()); n != 2 {
		r.Errorf("%d messages stand in the channel, not two", n)
	}
	r.update(ref, p.Key, card("after"))
}

func checkFailBefore(r *room) {
	r.need("FailBefore", r.Faults.FailBefore != nil)
	ref, key := r.post(card("before"))
	p := r.order()
	r.Faults.FailBefore()
	_, err := r.Platform.Post(r.context(), p)
	r.decided(err, fault.Unknown)
	if _, ok := r.find(p.Key); ok {
		r.Error("found what never arrived")
	}
	if _, err := r.Platform.Post(r.context(), p); err != nil {
		r.Errorf("the second attempt: %v", err)
	}
	if n := len(r.Room.Messages()); n != 2 {
		r.Errorf("%d messages stand in the channel, not two", n)
	}
	r.Faults.FailBefore()
	r.decided(r.Platform.Update(r.context(), ref, key, card("later")), fault.Unknown)
	r.update(ref, key, card("later"))
}

func checkFailAfter(r *room) {
	r.need("FailAfter", r.Faults.FailAfter != nil)
	ref, key := r.post(card("before"))
	p := r.order()
	r.Faults.FailAfter()
	_, err := r.Platform.Post(r.context(), p)
	r.decided(err, fault.Unknown)
	if _, ok := r.find(p.Key); !ok {
		r.Error("the message that arrived is not found")
	}
	if n := len(r.Room.Messages()); n != 2 {
		r.Errorf("%d messages stand in the channel, not two", n)
	}
	r.Faults.FailAfter()
	r.decided(r.Platform.Update(r.context(), ref, key, card("later")), fault.Unknown)
	r.update(ref, key, card("later"))
}

func checkRateLimit(r *room) {
	r.need("RateLimit", r.Faults.RateLimit != nil)
	ref, key := r.post(card("before"))
	p := r.order()
	lift := r.Faults.RateLimit()
	_, err := r.Platform.Post(r.context(), p)
	r.decided(err, fault.RetryAfter)
	r.decided(r.Platform.Update(r.context(), ref, key, card("later")), fault.RetryAfter)
	_, _, err = r.Platform.Find(r.context(), r.Channel, p.Key, r.Now().Add(-time.Minute))
	r.decided(err, fault.RetryAfter)
	lift()
	if _, err := r.Platform.Post(r.context(), p); err != nil {
		r.Errorf("after the limit: %v", err)
	}
	if n := len(r.Room.Messages()); n != 2 {
		r.Errorf("%d messages stand in the channel, not two", n)
	}
}

func checkRevoked(r *room) {
	r.need("Revoke", r.Faults.Revoke != nil)
	ref, key := r.post(card("before"))
	r.Faults.Revoke()
	p := r.order()
	_, err := r.Platform.Post(r.context(), p)
	text := r.decided(err, fault.Retry, fault.Permanent)
	if !strings.Contains(text, "token") || !strings.Contains(text, r.Connection) {
		r.Errorf("the error doesn't say which connection's token is at fault: %s", text)
	}
	r.decided(r.Platform.Update(r.context(), ref, key, card("later")), fault.Retry, fault.Permanent)
	_, _, err = r.Platform.Find(r.context(), r.Channel, p.Key, r.Now().Add(-time.Minute))
	r.decided(err, fault.Retry, fault.Permanent)
	if n := len(r.Room.Messages()); n != 1 {
		r.Errorf("%d messages stand in the channel, not one", n)
	}
}

func checkDeleted(r *room) {
	ref, key := r.post(fullCard())
	r.Room.Delete(ref)
	r.decided(r.Platform.Update(r.context(), ref, key, card("later")), fault.Gone)
	_, err := r.Platform.Post(r.context(), chat.Post{Channel: r.Channel, Thread: &ref, Key: seal.Random(),
		Message: chat.Message{Summary: "note", Lines: []chat.Line{{{Text: "note"}}}}})
	r.decided(err, fault.Gone)
	if n := len(r.Room.Messages()); n != 0 {
		r.Errorf("%d messages stand in the channel after the only one was deleted", n)
	}
}

func checkArchived(r *room) {
	r.need("Archive", r.Faults.Archive != nil)
	ref, key := r.post(fullCard())
	r.Faults.Archive()
	_, err := r.Platform.Post(r.context(), r.order())
	text := r.decided(err, fault.Permanent)
	if !strings.Contains(text, r.Channel) || !strings.Contains(text, "archived") {
		r.Errorf("the error doesn't say that %s is archived: %s", r.Channel, text)
	}
	if !errors.Is(err, chat.ErrArchived) {
		r.Errorf("that it is archived can't be told from the error: %v", err)
	}
	err = r.Platform.Update(r.context(), ref, key, card("later"))
	if r.decided(err, fault.Permanent); !errors.Is(err, chat.ErrArchived) {
		r.Errorf("that it is archived can't be told from the error: %v", err)
	}
}

// checkSlow: the caller's deadline holds whatever the server does.
func checkSlow(r *room) {
	r.need("Slow", r.Faults.Slow != nil)
	ref, key := r.post(card("before"))
	r.Faults.Slow(patience)
	for name, call := range map[string]func(context.Context) error{
		"post":   func(ctx context.Context) error { _, err := r.Platform.Post(ctx, r.order()); return err },
		"update": func(ctx context.Context) error { return r.Platform.Update(ctx, ref, key, card("later")) },
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		err := call(ctx)
		cancel()
		if r.decided(err, fault.Unknown); ctx.Err() == nil {
			r.Errorf("%s ended before its deadline: %v", name, err)
		}
	}
}

// checkCancelled: nothing is sent for a caller who has gone.
func checkCancelled(r *room) {
	ref, key := r.post(card("before"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := r.Platform.Post(ctx, r.order())
	r.decided(err, fault.Retry)
	r.decided(r.Platform.Update(ctx, ref, key, card("later")), fault.Retry)
	r.reads(r.only(), "before")
}

func checkDown(r *room) {
	r.need("Down", r.Faults.Down != nil)
	ref, key := r.post(card("before"))
	up := r.Faults.Down()
	p := r.order()
	_, err := r.Platform.Post(r.context(), p)
	r.decided(err, fault.Retry)
	r.decided(r.Platform.Update(r.context(), ref, key, card("later")), fault.Retry)
	up()
	if _, err := r.Platform.Post(r.context(), p); err != nil {
		r.Errorf("after the server is back: %v", err)
	}
	r.update(ref, key, card("later"))
	if n := len(r.Room.Messages()); n != 2 {
		r.Errorf("%d messages stand in the channel, not two", n)
	}
}
