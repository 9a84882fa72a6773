//! The operations of the Track API, by the names that rules and tests use.

/// What a call asks for, whichever version of the API it came through.
///
/// The numbers are part of the journal format: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Operation {
    /// Set attributes of a person.
    PersonIdentify = 1,
    /// A person did something.
    PersonEvent = 2,
    /// A person saw a page.
    PersonPage = 3,
    /// A person saw a screen of an app.
    PersonScreen = 4,
    /// Forget a person.
    PersonDelete = 5,
    /// A person has a device.
    PersonAddDevice = 6,
    /// A person no longer has a device.
    PersonDeleteDevice = 7,
    /// Forget a person and refuse what comes about them.
    PersonSuppress = 8,
    /// Undo a suppression.
    PersonUnsuppress = 9,
    /// Two persons are one.
    PersonMerge = 10,
    /// A person is related to objects.
    PersonAddRelationships = 11,
    /// A person is no longer related to objects.
    PersonDeleteRelationships = 12,
    /// A person saw content of a message. Not in the vendor's document; sent by Segment.
    PersonViewedContent = 13,
    /// A person clicked content of a message. Not in the vendor's document; sent by Segment.
    PersonClickedContent = 14,
    /// Set attributes of an object.
    ObjectIdentify = 20,
    /// Relate an object to an anonymous person.
    ObjectIdentifyAnonymous = 21,
    /// Forget an object.
    ObjectDelete = 22,
    /// An object is related to persons.
    ObjectAddRelationships = 23,
    /// An object is no longer related to persons.
    ObjectDeleteRelationships = 24,
    /// Something happened to an object. Not in the vendor's document; sent by async-customerio.
    ObjectEvent = 25,
    /// Something happened to a message that was sent (v2).
    DeliveryEvent = 30,
    /// Something happened to a message that was sent (v1 `/metrics`).
    MetricsReport = 31,
    /// Something happened to a push message (v1 `/push/events`).
    PushEvent = 32,
    /// Something happened to an in-app message (v1 `/cio_deliveries/events`).
    InAppEvent = 33,
    /// A recipient unsubscribed through a message.
    DeliveryUnsubscribe = 34,
    /// A form was submitted.
    FormSubmit = 40,
    /// Persons enter a manual segment.
    SegmentAdd = 50,
    /// Persons leave a manual segment.
    SegmentRemove = 51,
}

impl Operation {
    /// Every operation, in the order of the journal's numbers.
    pub const ALL: [Self; 28] = [
        Self::PersonIdentify,
        Self::PersonEvent,
        Self::PersonPage,
        Self::PersonScreen,
        Self::PersonDelete,
        Self::PersonAddDevice,
        Self::PersonDeleteDevice,
        Self::PersonSuppress,
        Self::PersonUnsuppress,
        Self::PersonMerge,
        Self::PersonAddRelationships,
        Self::PersonDeleteRelationships,
        Self::PersonViewedContent,
        Self::PersonClickedContent,
        Self::ObjectIdentify,
        Self::ObjectIdentifyAnonymous,
        Self::ObjectDelete,
        Self::ObjectAddRelationships,
        Self::ObjectDeleteRelationships,
        Self::ObjectEvent,
        Self::DeliveryEvent,
        Self::MetricsReport,
        Self::PushEvent,
        Self::InAppEvent,
        Self::DeliveryUnsubscribe,
        Self::FormSubmit,
        Self::SegmentAdd,
        Self::SegmentRemove,
    ];

    /// The name rules and tests use, `person.event`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PersonIdentify => "person.identify",
            Self::PersonEvent => "person.event",
            Self::PersonPage => "person.page",
            Self::PersonScreen => "person.screen",
            Self::PersonDelete => "person.delete",
            Self::PersonAddDevice => "person.add_device",
            Self::PersonDeleteDevice => "person.delete_device",
            Self::PersonSuppress => "person.suppress",
            Self::PersonUnsuppress => "person.unsuppress",
            Self::PersonMerge => "person.merge",
            Self::PersonAddRelationships => "person.add_relationships",
            Self::PersonDeleteRelationships => "person.delete_relationships",
            Self::PersonViewedContent => "person.viewed_content",
            Self::PersonClickedContent => "person.clicked_content",
            Self::ObjectIdentify => "object.identify",
            Self::ObjectIdentifyAnonymous => "object.identify_anonymous",
            Self::ObjectDelete => "object.delete",
            Self::ObjectAddRelationships => "object.add_relationships",
            Self::ObjectDeleteRelationships => "object.delete_relationships",
            Self::ObjectEvent => "object.event",
            Self::DeliveryEvent => "delivery.event",
            Self::MetricsReport => "metrics.report",
            Self::PushEvent => "push.event",
            Self::InAppEvent => "in_app.event",
            Self::DeliveryUnsubscribe => "delivery.unsubscribe",
            Self::FormSubmit => "form.submit",
            Self::SegmentAdd => "segment.add",
            Self::SegmentRemove => "segment.remove",
        }
    }

    /// The operation of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == name)
    }

    /// The operation of a journal number.
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| *operation as u8 == number)
    }
}
