// Tags pictures, over one stream and one by one, and enlarges the first of them, through a running gateway. The channel has default
// settings.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	pb "imagerecognition.gateway/v1"
)

const usage = "usage: go run . HOST:PORT SERVICE_CONFIG PICTURE RESULT [PICTURE ...]"

func main() {
	log.SetFlags(0)
	if len(os.Args) < 5 {
		log.Fatal(usage)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5:]); err != nil {
		log.Fatal(explain(err))
	}
}

func run(address, serviceConfig, picture, result string, more []string) error {
	// Which calls are safe to send again is part of the contract; grpc.NewClient refuses a file that it does not understand.
	policy, err := os.ReadFile(serviceConfig)
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(string(policy)))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	tagging, pictures := pb.NewTaggingServiceClient(connection), append([]string{picture}, more...)
	if err := tagMany(ctx, tagging, pictures); err != nil {
		return err
	}
	if err := upscale(ctx, pb.NewEnhancementServiceClient(connection), picture, result); err != nil {
		return err
	}
	for _, each := range pictures {
		if err := tagOne(ctx, tagging, each); err != nil {
			fmt.Printf("%s, alone: %s\n", each, explain(err))
		}
	}
	return nil
}

func parameters() *pb.TaggingParameters {
	limit := int32(3)
	return &pb.TaggingParameters{Language: pb.Language_LANGUAGE_EN, Limit: &limit}
}

func tagOne(ctx context.Context, client pb.TaggingServiceClient, picture string) error {
	content, err := os.ReadFile(picture)
	if err != nil {
		return err
	}
	request := &pb.TagImageRequest{Source: &pb.TagImageRequest_Content{Content: content}, Parameters: parameters()}
	response, err := client.TagImage(ctx, request)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(response.Tags))
	for _, each := range response.Tags {
		names = append(names, each.Name)
	}
	fmt.Printf("%s, alone: %s\n", picture, strings.Join(names, ", "))
	return nil
}

// tagMany sends while it receives: the gateway reads a few pictures ahead and then holds the sender back.
func tagMany(ctx context.Context, client pb.TaggingServiceClient, pictures []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.StreamTagImages(ctx)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		err := sendPictures(stream, pictures)
		if err != nil {
			cancel() // nothing would end the stream otherwise
		}
		sent <- err
	}()
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return <-sent
		}
		if err != nil {
			if failure := <-sent; failure != nil {
				return failure // which is why the stream ended
			}
			return err
		}
		if summary := message.GetSummary(); summary != nil {
			fmt.Printf("summary: %d received, %d failed\n", summary.Received, summary.Failed)
			continue
		}
		one := message.GetResult()
		if failure := one.GetError(); failure != nil {
			fmt.Printf("%s: %s\n", one.ItemId, explain(status.ErrorProto(failure)))
			continue
		}
		for _, each := range one.GetResponse().Tags {
			fmt.Printf("%s: %s %.1f%%\n", one.ItemId, each.Name, each.Confidence)
		}
	}
}

func sendPictures(stream pb.TaggingService_StreamTagImagesClient, pictures []string) error {
	config := &pb.StreamTagImagesConfig{Parameters: parameters(), Order: pb.ResultOrder_RESULT_ORDER_AS_SENT}
	err := stream.Send(&pb.StreamTagImagesRequest{Payload: &pb.StreamTagImagesRequest_Config{Config: config}})
	for _, picture := range pictures {
		if err != nil {
			break
		}
		var content []byte
		if content, err = os.ReadFile(picture); err != nil {
			return err
		}
		item := &pb.StreamTagImagesItem{ItemId: picture, Source: &pb.StreamTagImagesItem_Content{Content: content}}
		err = stream.Send(&pb.StreamTagImagesRequest{Payload: &pb.StreamTagImagesRequest_Item{Item: item}})
	}
	if errors.Is(err, io.EOF) {
		return nil // the gateway ended the stream; Recv says why
	}
	return errors.Join(err, stream.CloseSend())
}

// upscale gets its result in pieces, so that no message is over the 4 MiB that a channel takes by default.
func upscale(ctx context.Context, client pb.EnhancementServiceClient, picture, result string) error {
	content, err := os.ReadFile(picture)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.StreamUpscaleImage(ctx)
	if err != nil {
		return err
	}
	config := &pb.StreamUpscaleImageConfig{
		Request: &pb.UpscaleImageRequest{Source: &pb.UpscaleImageRequest_Content{Content: content}},
	}
	err = stream.Send(&pb.StreamUpscaleImageRequest{Payload: &pb.StreamUpscaleImageRequest_Config{Config: config}})
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var file []byte
	var announced *pb.FileInfo
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if header := message.GetHeader(); header != nil {
			announced = header.File
		}
		file = append(file, message.GetChunk().GetData()...)
	}
	if hash := sha256.Sum256(file); string(hash[:]) != string(announced.GetSha256()) {
		return errors.New("the result is not what was announced")
	}
	fmt.Printf("%s: %d bytes\n", result, len(file))
	return os.WriteFile(result, file, 0o644)
}

// explain says what is known of an error: every failure of the gateway has a reason, some a field, some a time to wait.
func explain(err error) string {
	failure, ok := status.FromError(err)
	if !ok {
		return err.Error()
	}
	text := failure.Code().String() + ": " + failure.Message()
	for _, detail := range failure.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			text += " [" + detail.Reason + "]"
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				text += " [field " + violation.Field + "]"
			}
		case *errdetails.RetryInfo:
			text += fmt.Sprintf(" [again in %s]", detail.RetryDelay.AsDuration())
		}
	}
	return text
}
