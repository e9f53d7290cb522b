// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"fmt"
	"testing"

	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/config"
	"belfry/seal"
)

// BenchmarkPost measures whole posts to the fake server over HTTP, the fake's
// own work included, from eight lanes at once.
func BenchmarkPost(b *testing.B) {
	fake, err := mattermosttest.New(mattermosttest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer fake.Close()
	const lanes = 32
	for i := range lanes {
		fake.AddChannel(fmt.Sprintf("ops-%d", i))
	}
	cfg := &mattermost.Config{URL: fake.URL(), Token: config.Secret(fake.Token()), Team: mattermosttest.Team}
	p, err := cfg.Open(mattermost.Options{Name: "main", CallbackURL: "https://belfry.example/chat/main"})
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

// BenchmarkRender measures a message's way to a post's text and props.
func BenchmarkRender(b *testing.B) {
	m := golden["card"]
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := mattermost.Render("https://belfry.example/chat/main", "key", m); err != nil {
			b.Fatal(err)
		}
	}
}
