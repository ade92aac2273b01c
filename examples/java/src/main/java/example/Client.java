package example;

import com.google.gson.Gson;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import gateway.imagerecognition.v1.EnhancementServiceGrpc;
import gateway.imagerecognition.v1.Language;
import gateway.imagerecognition.v1.ResultOrder;
import gateway.imagerecognition.v1.StreamTagImagesConfig;
import gateway.imagerecognition.v1.StreamTagImagesItem;
import gateway.imagerecognition.v1.StreamTagImagesRequest;
import gateway.imagerecognition.v1.StreamTagImagesResponse;
import gateway.imagerecognition.v1.StreamUpscaleImageConfig;
import gateway.imagerecognition.v1.StreamUpscaleImageRequest;
import gateway.imagerecognition.v1.StreamUpscaleImageResponse;
import gateway.imagerecognition.v1.Tag;
import gateway.imagerecognition.v1.TagImageRequest;
import gateway.imagerecognition.v1.TaggingParameters;
import gateway.imagerecognition.v1.TaggingServiceGrpc;
import gateway.imagerecognition.v1.UpscaleImageRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Tags pictures, over one stream and one by one, and enlarges the first of them, through a running gateway. The channel has default
 * settings.
 */
public final class Client {
  private static final String USAGE = "usage: HOST:PORT SERVICE_CONFIG PICTURE RESULT [PICTURE ...]";

  private static final TaggingParameters PARAMETERS =
      TaggingParameters.newBuilder().setLanguage(Language.LANGUAGE_EN).setLimit(3).build();

  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 4) {
      System.err.println(USAGE);
      System.exit(2);
    }
    Path picture = Path.of(arguments[2]);
    List<Path> more = Arrays.stream(arguments).skip(4).map(Path::of).toList();
    ManagedChannel channel = channel(arguments[0], Path.of(arguments[1]));
    try {
      List<Path> all = new ArrayList<>(List.of(picture));
      all.addAll(more);
      tagMany(channel, all);
      upscale(channel, picture, Path.of(arguments[3]));
      for (Path each : all) {
        tagOne(channel, each);
      }
    } catch (StatusRuntimeException error) {
      System.err.println(explain(StatusProto.fromThrowable(error)));
      System.exit(1);
    } finally {
      channel.shutdown().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  /** Which calls are safe to send again is part of the contract. */
  private static ManagedChannel channel(String address, Path serviceConfig) throws IOException {
    Map<String, ?> policy = new Gson().fromJson(Files.readString(serviceConfig), Map.class);
    return Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).defaultServiceConfig(policy).build();
  }

  private static void tagOne(ManagedChannel channel, Path picture) throws IOException {
    var stub = TaggingServiceGrpc.newBlockingStub(channel).withDeadlineAfter(1, TimeUnit.MINUTES);
    var request = TagImageRequest.newBuilder().setContent(read(picture)).setParameters(PARAMETERS).build();
    try {
      var names = stub.tagImage(request).getTagsList().stream().map(Tag::getName).collect(Collectors.joining(", "));
      System.out.println(picture + ", alone: " + names);
    } catch (StatusRuntimeException error) {
      System.out.println(picture + ", alone: " + explain(StatusProto.fromThrowable(error)));
    }
  }

  private static void tagMany(ManagedChannel channel, List<Path> pictures) {
    var sending = new Sending(pictures.iterator(), Client::print);
    TaggingServiceGrpc.newStub(channel).withDeadlineAfter(1, TimeUnit.MINUTES).streamTagImages(sending);
    await(sending.ended);
  }

  private static void print(StreamTagImagesResponse message) {
    if (message.hasSummary()) {
      System.out.printf("summary: %d received, %d failed%n", message.getSummary().getReceived(), message.getSummary().getFailed());
      return;
    }
    var result = message.getResult();
    if (result.hasError()) {
      System.out.println(result.getItemId() + ": " + explain(result.getError()));
      return;
    }
    for (Tag tag : result.getResponse().getTagsList()) {
      System.out.printf("%s: %s %.1f%%%n", result.getItemId(), tag.getName(), tag.getConfidence());
    }
  }

  /** Hears how a stream ends. */
  private abstract static class Receiving<M> implements StreamObserver<M> {
    final CompletableFuture<Void> ended = new CompletableFuture<>();

    @Override
    public void onError(Throwable error) {
      ended.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {
      ended.complete(null);
    }
  }

  /** Sends while it receives: the gateway reads a few pictures ahead and then holds the sender back. */
  private static final class Sending extends Receiving<StreamTagImagesResponse>
      implements ClientResponseObserver<StreamTagImagesRequest, StreamTagImagesResponse> {
    private final Iterator<Path> pictures;
    private final Consumer<StreamTagImagesResponse> taken;
    private boolean configured;
    private boolean closed;

    Sending(Iterator<Path> pictures, Consumer<StreamTagImagesResponse> taken) {
      this.pictures = pictures;
      this.taken = taken;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<StreamTagImagesRequest> stream) {
      stream.setOnReadyHandler(() -> send(stream));
    }

    private void send(ClientCallStreamObserver<StreamTagImagesRequest> stream) {
      while (stream.isReady() && !closed) {
        if (!configured) {
          configured = true;
          var config = StreamTagImagesConfig.newBuilder().setParameters(PARAMETERS).setOrder(ResultOrder.RESULT_ORDER_AS_SENT);
          stream.onNext(StreamTagImagesRequest.newBuilder().setConfig(config).build());
        } else if (pictures.hasNext()) {
          Path picture = pictures.next();
          var item = StreamTagImagesItem.newBuilder().setItemId(picture.toString()).setContent(read(picture));
          stream.onNext(StreamTagImagesRequest.newBuilder().setItem(item).build());
        } else {
          closed = true;
          stream.onCompleted();
        }
      }
    }

    @Override
    public void onNext(StreamTagImagesResponse message) {
      taken.accept(message);
    }
  }

  /** The result comes in pieces, so that no message is over the 4 MiB that a channel takes by default. */
  private static void upscale(ManagedChannel channel, Path picture, Path target) throws Exception {
    var request = UpscaleImageRequest.newBuilder().setContent(read(picture));
    var config = StreamUpscaleImageConfig.newBuilder().setRequest(request);
    var pieces = new ByteArrayOutputStream();
    var announced = new CompletableFuture<ByteString>();
    var receiving = new Receiving<StreamUpscaleImageResponse>() {
      @Override
      public void onNext(StreamUpscaleImageResponse message) {
        if (message.hasHeader()) {
          announced.complete(message.getHeader().getFile().getSha256());
        } else {
          pieces.writeBytes(message.getChunk().getData().toByteArray());
        }
      }
    };
    var stream = EnhancementServiceGrpc.newStub(channel).withDeadlineAfter(1, TimeUnit.MINUTES).streamUpscaleImage(receiving);
    stream.onNext(StreamUpscaleImageRequest.newBuilder().setConfig(config).build());
    stream.onCompleted();
    await(receiving.ended);
    byte[] file = pieces.toByteArray();
    if (!ByteString.copyFrom(MessageDigest.getInstance("SHA-256").digest(file)).equals(announced.getNow(ByteString.EMPTY))) {
      throw new IOException("the result is not what was announced");
    }
    Files.write(target, file);
    System.out.println(target + ": " + file.length + " bytes");
  }

  /** Waits for the end of a stream, and throws what it failed with. */
  private static void await(CompletableFuture<Void> ended) {
    try {
      ended.join();
    } catch (CompletionException error) {
      throw error.getCause() instanceof StatusRuntimeException failure ? failure : error;
    }
  }

  /** What is known of an error: every failure of the gateway has a reason, some a field, some a time to wait. */
  private static String explain(Status status) {
    var text = new StringBuilder(status.getMessage());
    try {
      for (Any detail : status.getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          text.append(" [").append(detail.unpack(ErrorInfo.class).getReason()).append(']');
        } else if (detail.is(BadRequest.class)) {
          for (var violation : detail.unpack(BadRequest.class).getFieldViolationsList()) {
            text.append(" [field ").append(violation.getField()).append(']');
          }
        } else if (detail.is(RetryInfo.class)) {
          text.append(" [again in ").append(detail.unpack(RetryInfo.class).getRetryDelay().getSeconds()).append(" s]");
        }
      }
    } catch (InvalidProtocolBufferException error) {
      text.append(" [details that cannot be read]");
    }
    return text.toString();
  }

  private static ByteString read(Path picture) {
    try {
      return ByteString.copyFrom(Files.readAllBytes(picture));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private Client() {}
}
