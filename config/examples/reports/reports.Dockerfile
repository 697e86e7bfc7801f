# Monthly reports, on a base that its publisher will take away some day. A base that cannot be asked for is
# `unknown`, with the reason and since when; it is never taken for up to date.
ARG REGISTRY=docker.io

FROM ${REGISTRY}/library/ruby:3.1-slim-bullseye
WORKDIR /srv
COPY Gemfile Gemfile.lock ./
RUN bundle install --without development
COPY . .
CMD ["bundle", "exec", "rake", "report"]
