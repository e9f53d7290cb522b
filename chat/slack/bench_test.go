// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"fmt"
	"testing"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/config"
	"belfry/seal"
)

// BenchmarkPost measures whole posts to the fake workspace over HTTP, the
// fake's own work included, from eight lanes at once, our own pace set aside.
func BenchmarkPost(b *testing.B) {
	fake, err := slacktest.New(slacktest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer fake.Close()
	const lanes = 32
	for i := range lanes {
		fake.AddChannel(fmt.Sprintf("ops-%d", i))
	}
	cfg := &slack.Config{URL: fake.URL(), Token: config.Secret(fake.Token()), SigningSecret: config.Secret(fake.SigningSecret()),
		MessagesPerSecond: 100_000, MessagesPerMinute: 6_000_000}
	p, err := cfg.Open(slack.Options{Name: "main", CallbackURL: "https://belfry.example/chat/main"})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = p.Close(b.Context()) }()
	m := golden["card"]
	m.Mentions = nil
	b.ReportAllocs()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := p.Post(b.Context(), chat.Post{Channel: fmt.Sprintf("ops-%d", i%lanes), Key: seal.Random(), Message: m}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}
